"""Whole lines of a file, from any offset and bounded in size."""

from io import FileIO
from pathlib import Path
from typing import NamedTuple

from streaming.sources.csv_columns import HEADER

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Chunk(NamedTuple):
    """
    Whole lines, each with its newline, and what was read to get them.

    ``headings`` lines of the file (0 or 1) were left out at the front; ``size`` bytes and
    ``lines`` lines lie between this chunk's offset and the next one's; ``is_last`` ends the file.
    """

    text: bytes
    headings: int
    size: int
    lines: int
    is_last: bool


def read(path: Path, *, offset: int, size: int) -> Chunk:
    """
    The lines from ``offset``, where one begins, as many as end within ``size`` bytes.

    A line longer than that is cut off there, which makes it a bad row.

    :raises OSError: when the file cannot be read
    """
    with FileIO(path) as file:
        file.seek(offset)
        raw = file.read(size)
        if len(raw) < size:
            text = raw if raw.endswith(b"\n") or not raw else raw + b"\n"
            return _chunk(text, offset, size=len(raw), is_last=True)
        end = raw.rfind(b"\n") + 1
        if end:
            return _chunk(raw[:end], offset, size=end, is_last=False)
        return _chunk(raw + b"\n", offset, size=size + _rest_of_line(file), is_last=False)


def _rest_of_line(file: FileIO) -> int:
    passed = 0
    while raw := file.read(65_536):
        end = raw.find(b"\n") + 1
        if end:
            return passed + end
        passed += len(raw)
    return passed


def _chunk(text: bytes, offset: int, *, size: int, is_last: bool) -> Chunk:
    lines = text.count(b"\n")
    body = text if offset else _without_heading(text)
    return Chunk(body, lines - body.count(b"\n"), size, lines, is_last)


def _without_heading(text: bytes) -> bytes:
    text = text.removeprefix(BYTE_ORDER_MARK)
    first, _, rest = text.partition(b"\n")
    return rest if HEADER.fullmatch(first) else text
