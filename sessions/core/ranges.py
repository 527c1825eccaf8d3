"""Pieces of files: what of one is new, where it goes on."""

import re
from typing import NamedTuple

from aegis_project.kit.errors import ValidationFailed
from sessions.core.library_errors import RangeRefused

_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})\Z")


class Range(NamedTuple):
    """The bytes of a piece, the first and the last, and how many the whole has."""

    first: int
    last: int
    total: int


def read(text: str) -> Range:
    """
    What a Content-Range says.

    :raises ValidationFailed: if it does not say which bytes of how many there are
    """
    found = _RANGE.match(text)
    if found is None:
        raise ValidationFailed(
            "Content-Range says which bytes of how many: bytes 0-1023/4096.",
            fields=["Content-Range"],
        )
    first, last, total = map(int, found.groups())
    if not first <= last < total:
        raise ValidationFailed("The range is none.", fields=["Content-Range"])
    return Range(first, last, total)


def fresh(piece: Range, content: bytes, *, received: int, size: int) -> bytes:
    """
    What of a piece is not here yet; nothing if all of it is, since it was sent again.

    :raises ValidationFailed: if it has another length than it says, or is of another file
    :raises RangeRefused: if it leaves a gap
    """
    if len(content) != piece.last - piece.first + 1 or piece.total != size:
        raise ValidationFailed("The piece is not as long as it says.", fields=["Content-Range"])
    if piece.first > received:
        raise RangeRefused(received=received)
    return content[received - piece.first :]
