import os

import pytest

from components.launcher.output import Lines, Log

ORDER = {"lines_per_second": 1000, "buffer_lines": 100, "secrets": ["", "aeg_secret"]}


def log(**said) -> Log:
    return Log({**ORDER, **said})


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    with open(reading, "rb") as read, open(writing, "wb", buffering=0) as write:
        yield read, write


def kept(found: Log) -> list[tuple[str, str]]:
    return [(one["stream"], one["line"]) for one in found.entries]


def test_output_is_cut_into_lines_of_bounded_length(pipe):
    read, write = pipe
    found = log()
    lines = Lines("stdout", read, found, most_bytes=4)

    for data in (b"a\nb", b"c\r\n\n12345678", b"9\nend"):
        write.write(data)
        assert lines.read()
    assert lines.read()
    write.close()

    assert lines.read() is False
    assert [line for _, line in kept(found)] == ["a", "bc", "", "1234", "end"]
    assert [one.get("cut", False) for one in found.entries] == [False, False, False, True, False]


def test_secrets_and_what_no_text_may_hold_are_replaced():
    found = log()

    found.add("stderr", b"token=aeg_secret \xff\x00")

    assert kept(found) == [("stderr", "token=*** \ufffd\ufffd")]


def test_what_comes_too_fast_is_counted_where_it_is_missing():
    found = log(lines_per_second=0.001)
    found.allowance = 1

    for number in range(4):
        found.add("stdout", str(number).encode())
    found.allowance = 1
    found.add("stdout", b"later")

    assert kept(found) == [
        ("stdout", "0"),
        ("launcher", "3 lines were left out"),
        ("stdout", "later"),
    ]


def test_the_last_lines_of_a_flood_are_kept():
    found = log(lines_per_second=0.001)
    found.allowance = 1

    for number in range(100):
        found.add("stdout", str(number).encode())
    found.close()

    words = [line for _, line in kept(found)]
    assert words == ["0", "79 lines were left out", *map(str, range(80, 100))]
    assert sum(one.get("dropped", 0) for one in found.entries) == 79


def test_a_flood_is_told_when_it_is_over():
    found = log(lines_per_second=0.001)
    found.allowance = 0
    for number in range(30):
        found.add("stdout", str(number).encode())
    found.settle()
    assert kept(found) == []

    found.skipped_at -= 1
    found.settle()
    found.settle()

    words = [line for _, line in kept(found)]
    assert words == ["10 lines were left out", *map(str, range(10, 30))]


def test_a_chunk_of_a_flood_is_not_looked_at_line_by_line(pipe):
    read, write = pipe
    found = log(lines_per_second=0.001)
    found.allowance = 0
    lines = Lines("stdout", read, found, most_bytes=100)
    write.write(b"".join(b"%d\n" % n for n in range(1000)))

    lines.read()
    found.close()

    assert sum(one.get("dropped", 0) for one in found.entries) == 980
    assert [line for _, line in kept(found)][1:] == [str(n) for n in range(980, 1000)]


def test_what_nobody_takes_makes_room_from_the_oldest_on():
    found = log(buffer_lines=3)

    for number in range(10):
        found.add("stdout", str(number).encode())

    assert kept(found) == [("launcher", "8 lines were left out"), ("stdout", "8"), ("stdout", "9")]
    assert [one["line"] for one in found.batch()][1:] == ["8", "9"]
    found.forget(2)
    assert kept(found) == [("stdout", "9")]
