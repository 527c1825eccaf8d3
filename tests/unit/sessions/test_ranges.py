import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import ranges
from sessions.core.library_errors import RangeRefused
from sessions.core.ranges import Range


def test_a_range_is_read():
    assert ranges.read("bytes 0-1023/4096") == Range(0, 1023, 4096)


@pytest.mark.parametrize(
    "text", ["", "bytes */10", "bytes 5-4/10", "bytes 0-10/10", "items 0-1/2", "bytes 0-1/2\n"]
)
def test_what_is_no_range_is_refused(text: str):
    with pytest.raises(ValidationFailed):
        ranges.read(text)


@pytest.mark.parametrize(("received", "found"), [(0, b"abcd"), (2, b"cd"), (4, b""), (9, b"")])
def test_of_a_piece_that_comes_again_only_what_is_new_is_taken(received: int, found: bytes):
    assert ranges.fresh(Range(0, 3, 10), b"abcd", received=received, size=10) == found


def test_a_piece_that_leaves_a_gap_says_where_to_go_on():
    with pytest.raises(RangeRefused) as refused:
        ranges.fresh(Range(3, 3, 10), b"d", received=2, size=10)

    assert refused.value.details == {"received": 2}


@pytest.mark.parametrize(("content", "size"), [(b"abc", 10), (b"abcd", 11)])
def test_a_piece_that_is_not_what_it_says_is_refused(content: bytes, size: int):
    with pytest.raises(ValidationFailed):
        ranges.fresh(Range(0, 3, 10), content, received=0, size=size)
