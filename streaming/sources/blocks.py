"""What sources read and where they stand: blocks of records, places, rows that were bad."""

from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec

from streaming.core import position


class Place(NamedTuple):
    """
    Where reading a topic goes on.

    ``file``, ``offset`` (bytes) and ``line`` (the lines before it in its file) say where the next
    block begins; ``floor`` is the clock time reached before it (unix ms), ``seq`` and ``ck`` the
    last record before it; ``skip`` is how many records of that block are already taken, and
    ``skip_ck`` the chain value after those.
    """

    file: int
    offset: int
    line: int
    floor: int
    seq: int
    ck: bytes
    skip: int = 0
    skip_ck: bytes = b""

    @property
    def taken(self) -> int:
        """How many records of the topic lie before this place."""
        return self.seq + self.skip

    @property
    def taken_ck(self) -> bytes:
        """The chain value after those."""
        return self.skip_ck or self.ck


class Block(msgspec.Struct, frozen=True, gc=False):
    """
    Consecutive records of one topic, never empty: ``place.seq + 1`` and on.

    ``ts`` are their clock times (unix ms, never falling), ``data`` their JSON texts, ``ck`` the
    chain value after each; ``next`` is the place behind them.
    """

    place: Place
    ts: list[int]
    data: list[bytes]
    ck: list[bytes]
    next: Place


class TopicSource(Protocol):
    """
    One topic of a source, readable from any place again and again with the same result.

    ``is_stored`` ones are read from the database, the others from files.
    """

    is_stored: ClassVar[bool]

    @property
    def topic(self) -> str:
        """Its name."""

    @property
    def priority(self) -> int:
        """Its order among the topics of one timestamp, smaller first."""

    def begin(self, ck: bytes) -> Place:
        """The place before the first record of the range; ``ck`` is the topic's ck(0)."""

    def read(self, place: Place, report: "RowReport | None" = None) -> Block | None:
        """The first block at or after ``place``, or ``None`` when the range ends before."""

    def facts(self) -> list[Any]:
        """
        What a checkpoint of it rests on, as JSON data.

        :raises SourceUnreadable: when what it is read from is gone
        """


class BadRow(msgspec.Struct, frozen=True):
    """A row that was skipped: file (relative to the dataset), line (from 1) and why."""

    topic: str
    file: str
    line: int
    reason: str


class RowReport:
    """How many rows were bad, and the first ones of them."""

    __slots__ = ("count", "limit", "rows")

    def __init__(self, *, limit: int = 100) -> None:
        self.limit = limit
        self.count = 0
        self.rows: list[BadRow] = []

    def add(self, row: BadRow) -> None:
        self.count += 1
        if len(self.rows) < self.limit:
            self.rows.append(row)


def chained(previous: bytes, first: int, items: Iterable[bytes]) -> list[bytes]:
    """The chain value after each of ``items``, the first of which has the number ``first``."""
    chain = position.chain
    return [previous := chain(previous, seq, data) for seq, data in enumerate(items, first)]
