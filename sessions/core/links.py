"""Links that let whoever has them read one file for some time."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

SHORTEST, USUAL, LONGEST = 60, 3600, 86_400
"""Seconds that a link holds."""
DIGITS = 32
_SHAPE = re.compile(
    r"(?P<kind>[a-z]+)\.(?P<file>[0-9a-f]{32})\.(?P<until>\d{1,12})\.(?P<sign>[0-9a-f]{32})\Z"
)


class Kind(StrEnum):
    """What kind of file a link leads to."""

    ARTIFACT = "artifact"
    ATTACHMENT = "attachment"


class Link(NamedTuple):
    """
    A link as it is read: which file, until when (unix seconds), and the signature.

    It is signed with the session and with how often the links of the file were withdrawn.
    """

    kind: Kind
    file: UUID
    until: int
    sign: str

    def __str__(self) -> str:
        return f"{self.kind.value}.{self.file.hex}.{self.until}.{self.sign}"


def sign(kind: Kind, file: UUID, *, session: UUID, until: int, withdrawn: int, key: str) -> Link:
    """A link to a file, signed with the key."""
    said = f"aegis.link:{session.hex}:{kind.value}:{file.hex}:{withdrawn}:{until}"
    found = hmac.new(key.encode(), said.encode(), hashlib.sha256).hexdigest()
    return Link(kind, file, until, found[:DIGITS])


def read(text: str) -> Link | None:
    """The link that a text is, whoever signed it, or None for what is none."""
    found = _SHAPE.match(text)
    if found is None or found["kind"] not in set(Kind):
        return None
    return Link(Kind(found["kind"]), UUID(found["file"]), int(found["until"]), found["sign"])


def holds(link: Link, *, session: UUID, withdrawn: int, keys: Sequence[str], now: float) -> bool:
    """Whether the link was signed with one of the keys, not withdrawn since, and is not over."""
    is_ours = False
    for key in keys:
        own = sign(
            link.kind, link.file, session=session, until=link.until, withdrawn=withdrawn, key=key
        )
        # All of them, so that how long it takes says nothing.
        is_ours |= hmac.compare_digest(own.sign, link.sign)
    return is_ours and now < link.until
