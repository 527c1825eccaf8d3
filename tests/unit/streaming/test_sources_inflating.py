"""Reading compressed files from any place."""

import gzip
import random

import pytest

from streaming.sources import inflating
from streaming.sources.inflating import Reader, Readers

TEXT = b"".join(b"%d:%d\n" % (number, number * number) for number in range(60_000))


@pytest.fixture(params=["plain", "gzip", "joined"])
def path(request, tmp_path, monkeypatch):
    monkeypatch.setattr(inflating, "SPACING", 50_000)
    monkeypatch.setattr(inflating, "MARKS", 4)
    path = tmp_path / ("text.txt" if request.param == "plain" else "text.gz")
    half = len(TEXT) // 2
    path.write_bytes(
        {
            "plain": TEXT,
            "gzip": gzip.compress(TEXT),
            "joined": gzip.compress(TEXT[:half]) + gzip.compress(TEXT[half:]),
        }[request.param]
    )
    return path


def test_text_is_read_from_any_offset(path):
    reader = Reader(path)
    offsets = random.Random(1).choices(range(len(TEXT)), k=40)  # noqa: S311 -- a walk is no secret

    for offset in [0, *offsets, len(TEXT) - 3]:
        assert reader.read(offset, 5000) == TEXT[offset : offset + 5000]


def test_text_is_read_straight_through_in_overlapping_pieces(path):
    reader, offset, found = Reader(path), 0, []

    while piece := reader.read(offset, 70_000):
        whole = piece[: piece.rfind(b"\n") + 1]
        found.append(whole)
        offset += len(whole)

    assert b"".join(found) == TEXT


def test_nothing_stands_behind_the_end(path):
    reader = Reader(path)

    assert reader.read(len(TEXT), 10) == b""
    assert reader.read(len(TEXT) + 10_000, 10) == b""
    assert reader.read(0, 10) == TEXT[:10]


def test_two_who_read_at_different_places_do_not_disturb_each_other(path):
    reader = Reader(path)

    for step in range(0, 200_000, 20_000):
        assert reader.read(step, 20_000) == TEXT[step : step + 20_000]
        far = step + 250_000
        assert reader.read(far, 20_000) == TEXT[far : far + 20_000]


def test_damaged_file_cannot_be_read(tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(b"this is not gzip")

    with pytest.raises(OSError, match="damaged"):
        Reader(path).read(0, 10)


def test_file_that_is_cut_off_ends_there(tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(TEXT)[:20_000])

    found = Reader(path).read(0, len(TEXT))

    assert 0 < len(found) < len(TEXT)
    assert TEXT.startswith(found)


def test_readers_of_the_files_read_last_are_kept(tmp_path):
    readers = Readers(limit=2)

    first, second = readers.of(tmp_path / "a"), readers.of(tmp_path / "b")
    again = readers.of(tmp_path / "a")
    readers.of(tmp_path / "c")

    assert again is first
    assert readers.of(tmp_path / "a") is first
    assert readers.of(tmp_path / "b") is not second
