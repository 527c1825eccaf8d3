"""Reading a stretch of a topic from its beginning to its end, a slice at a time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from aegis_project.kit.errors import ServiceUnavailable
from streaming.core import position
from streaming.core.export import Row
from streaming.core.position import Position
from streaming.engines.base import Key, Slice


class Reader(Protocol):
    """The hub, wherever its loop is."""

    async def read(self, key: Key, after: int) -> Slice | None:
        """The records behind ``after``."""

    async def epoch(self, key: Key) -> str:
        """The epoch of the topic now."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    Records of a topic: those behind ``begin`` and up to ``last``, whose time is in the range.

    Times are unix ms, both ends belong to it.
    """

    key: Key
    begin: Position
    last: int
    from_ms: int
    to_ms: int


async def rows(reader: Reader, stretch: Stretch) -> AsyncIterator[list[Row]]:
    """
    The records of a stretch, each with its chain value, computed again.

    :raises ServiceUnavailable: when what follows is not what stood there: better no file than one
        with a hole
    """
    at = stretch.begin
    while at.seq < stretch.last:
        cut = await reader.read(stretch.key, at.seq)
        if cut is None or cut.first != at.seq + 1 or await reader.epoch(stretch.key) != at.epoch:
            raise ServiceUnavailable("The topic lost records while it was read.")
        found, ck = _rows(cut, at)
        if ck != cut.ck:
            raise ServiceUnavailable("The topic began anew while it was read.")
        at = Position(at.epoch, cut.last, ck)
        yield [
            row
            for row in found
            if row.seq <= stretch.last and stretch.from_ms <= row.ts <= stretch.to_ms
        ]


def _rows(cut: Slice, before: Position) -> tuple[list[Row], bytes]:
    found, ck = [], before.ck
    for seq, (ts, data) in enumerate(zip(cut.ts, cut.data, strict=True), cut.first):
        ck = position.chain(ck, seq, data)
        found.append(Row(before.epoch, seq, ts, ck, data))
    return found, ck
