"""The global clock: all topics of a source in one order, each record with its place in it."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from streaming.core import position
from streaming.core.errors import SourceUnreadable
from streaming.sources.blocks import Block, Place, RowReport, TopicSource

S = TypeVar("S", bound=TopicSource)


class Mark(NamedTuple):
    """
    Where the merge stood after record ``n``: the place of every topic, in their order.

    ``ts`` is the time of that record (unix ms), 0 before the first one.
    """

    n: int
    places: tuple[Place, ...]
    ts: int = 0


class Part(msgspec.Struct, frozen=True, gc=False):
    """
    The records of one topic in a batch; ``topic`` is its index in the merge's order.

    ``first`` is the seq of the first; ``ts``, ``n``, ``data`` and ``ck`` (the chain value after
    each) stand side by side; ``place`` is where the block begins that they were read in.
    """

    topic: int
    first: int
    ts: list[int]
    n: list[int]
    data: list[bytes]
    ck: list[bytes]
    place: Place


class Batch(msgspec.Struct, frozen=True, gc=False):
    """
    Consecutive records of the clock order, never empty.

    ``first`` is the ``n`` of the first record, ``clock`` the time of each (unix ms), ``parts``
    the same records by topic, ``mark`` where the merge stands behind them, ``size`` the bytes of
    their data.
    """

    first: int
    clock: list[int]
    parts: list[Part]
    mark: Mark
    size: int

    @property
    def last(self) -> int:
        """The ``n`` of the last record."""
        return self.first + len(self.clock) - 1


class Merge:
    """
    All topics of a source in clock order: by time, then priority, then topic, then seq.

    It holds one block of each topic. ``epochs`` give each topic's ck(0); a ``mark`` of an equal
    source goes on from there, and the records that follow are the same. Reads files: not for the
    event loop. One caller at a time.
    """

    def __init__(
        self,
        sources: Sequence[TopicSource],
        *,
        epochs: Mapping[str, str],
        mark: Mark | None = None,
        report: RowReport | None = None,
    ) -> None:
        self.sources = in_order(sources)
        self.report = report
        at = mark or beginning(self.sources, epochs=epochs)
        self.n = at.n
        self.ts = at.ts
        self._bits = max(1, (len(self.sources) - 1).bit_length())
        self._streams = [
            _Stream(source=source, rank=rank, bits=self._bits, place=at.places[rank])
            for rank, source in enumerate(self.sources)
        ]
        self._live = self._streams

    @property
    def mark(self) -> Mark:
        """Where the merge stands."""
        return Mark(self.n, tuple(stream.place for stream in self._streams), self.ts)

    def read(self, *, before: int | None = None) -> Batch | None:
        """
        The next batch, or ``None`` when every topic has ended.

        With ``before`` (unix ms) only records of an earlier time, ``None`` when there is no more.

        :raises SourceUnreadable: when a file is gone or may not be read; nothing is lost, and the
            next call tries again
        """
        self._live = [stream for stream in self._live if stream.stays(self.report)]
        if not self._live:
            return None
        # Up to here every topic is loaded: what it reads next comes behind its last key.
        bound = min(stream.keys[-1] for stream in self._live)
        if before is not None:
            bound = min(bound, (before << self._bits) - 1)
        taken = [stream.take(bound) for stream in self._live if stream.has(bound)]
        return self._batch(taken) if taken else None

    def _batch(self, taken: list["_Taken"]) -> Batch:
        first = self.n + 1
        self.n += sum(len(piece.keys) for piece in taken)
        if len(taken) == 1:
            clock, places = taken[0].ts, [list(range(first, self.n + 1))]
        else:
            clock, places = self._ordered(first, taken)
        parts = [
            Part(piece.rank, piece.first, piece.ts, ns, piece.data, piece.ck, piece.place)
            for piece, ns in zip(taken, places, strict=True)
        ]
        size = sum(sum(map(len, part.data)) for part in parts)
        self.ts = clock[-1]
        return Batch(first, clock, parts, self.mark, size)

    def _ordered(self, first: int, taken: list["_Taken"]) -> tuple[list[int], list[list[int]]]:
        # Sorting joined runs is a merge in C; the low bits of a key say whose it is.
        merged: list[int] = []
        for piece in taken:
            merged += piece.keys
        merged.sort()
        bits, mask = self._bits, (1 << self._bits) - 1
        places: dict[int, list[int]] = {piece.rank: [] for piece in taken}
        for n, key in enumerate(merged, first):
            places[key & mask].append(n)
        return [key >> bits for key in merged], list(places.values())


def in_order(sources: Iterable[S]) -> list[S]:
    """The topics as they come at one timestamp: by priority, then by name."""
    return sorted(sources, key=lambda source: (source.priority, source.topic))


def beginning(sources: Sequence[TopicSource], *, epochs: Mapping[str, str]) -> Mark:
    """The mark before the first record; ``sources`` are in order."""
    return Mark(
        0,
        tuple(
            source.begin(position.genesis(source.topic, epochs[source.topic])) for source in sources
        ),
    )


def anchored(mark: Mark, sources: Sequence[TopicSource], *, epochs: Mapping[str, str]) -> Mark:
    """
    The same place in new epochs, whose chains begin at the blocks in which it lies.

    So a chain need not be worked out from the first record of the range on: nothing before the
    mark belongs to these epochs. ``sources`` are in order. Reads files.

    :raises SourceUnreadable: when a file is gone or has changed
    """
    return mark._replace(
        places=tuple(
            _anchored(source, place, position.genesis(source.topic, epochs[source.topic]))
            for source, place in zip(sources, mark.places, strict=True)
        )
    )


def _anchored(source: TopicSource, place: Place, ck: bytes) -> Place:
    begin = place._replace(ck=ck, skip=0, skip_ck=b"")
    if not place.skip:
        return begin
    block = source.read(begin)
    if block is None or len(block.ck) < place.skip:
        raise SourceUnreadable("The files have changed.", topic=source.topic)
    return begin._replace(skip=place.skip, skip_ck=block.ck[place.skip - 1])


class _Taken(NamedTuple):
    """What one topic gives to a batch."""

    rank: int
    first: int
    keys: list[int]
    ts: list[int]
    data: list[bytes]
    ck: list[bytes]
    place: Place


class _Stream:
    """One topic within a merge: the block it is in, and how much of it is taken."""

    __slots__ = ("bits", "block", "keys", "place", "rank", "source", "taken")

    def __init__(self, *, source: TopicSource, rank: int, bits: int, place: Place) -> None:
        self.source = source
        self.rank = rank
        self.bits = bits
        self.place = place
        self.block: Block
        self.keys: list[int] = []
        self.taken = 0

    def load(self, report: RowReport | None) -> bool:
        """Read the block at the stream's place; false when the topic has ended."""
        block = self.source.read(self.place, report)
        if block is None:
            return False
        # One number orders by time, then by topic; equal ones keep the order of their file.
        bits, rank = self.bits, self.rank
        self.keys = [time << bits | rank for time in block.ts]
        self.block, self.taken = block, self.place.skip
        return True

    def has(self, bound: int) -> bool:
        return self.keys[self.taken] <= bound

    def take(self, bound: int) -> _Taken:
        """What is left of the block up to and with the key ``bound``."""
        block, start = self.block, self.taken
        end = self.taken = bisect_right(self.keys, bound, start)
        if end == len(self.keys):
            self.place = block.next
        else:
            self.place = block.place._replace(skip=end, skip_ck=block.ck[end - 1])
        return _Taken(
            self.rank,
            block.place.seq + start + 1,
            self.keys[start:end],
            block.ts[start:end],
            block.data[start:end],
            block.ck[start:end],
            block.place,
        )

    def stays(self, report: RowReport | None) -> bool:
        """
        Whether there is more: a spent block is replaced by the next one.

        A block always has more records than its place skips, unless the file has changed.
        """
        return self.taken < len(self.keys) or self.load(report)
