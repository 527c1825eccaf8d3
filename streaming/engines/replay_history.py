"""Records of a source that are no longer in memory, or not yet: found in the files again."""

import asyncio
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from streaming.engines.replay_reading import away
from streaming.engines.replay_span import Span
from streaming.sources import clock, scan
from streaming.sources.blocks import Block, Place, TopicSource
from streaming.sources.clock import Batch, Mark, Merge, Part
from streaming.sources.marks import Marks

NUMBERS_KEPT = 2**21
"""How many ``n`` all topics together keep (8 bytes each)."""
MARKS_KEPT = 2**16
"""How many places all topics together keep; one mark has a place of each topic."""
BATCHES_KEPT = 8
MERGES_KEPT = 2


class History:
    """
    The whole of a source, by topic (its index in clock order) and seq.

    What a chain value needs is read from the topic's own file. ``n`` needs all topics: a topic
    with few records keeps its own, for others the merge is repeated from a mark near by. Files
    are read in threads, a slice at a time. All calls come from one event loop. ``base`` is where
    these epochs begin: what lies before is not theirs.
    """

    def __init__(
        self, sources: Sequence[TopicSource], *, epochs: Mapping[str, str], base: Mark, mark: Mark
    ) -> None:
        self.sources = sources
        self.epochs = epochs
        self.base = base
        count = len(sources)
        self.marks = Marks(base, limit=max(16, MARKS_KEPT // count))
        self._topics = [
            TopicHistory(source, place, numbers=NUMBERS_KEPT // count)
            for source, place in zip(sources, base.places, strict=True)
        ]
        self._batches: deque[Batch] = deque(maxlen=BATCHES_KEPT)
        self._merges: deque[Merge] = deque(maxlen=MERGES_KEPT)
        self._lock = asyncio.Lock()
        self.marks.add(mark.n, mark)

    def note(self, batch: Batch) -> None:
        """Learn from a batch that the clock's own merge has read, each in turn."""
        self.marks.add(batch.mark.n, batch.mark)
        for part in batch.parts:
            self._topics[part.topic].note(part)

    async def ck(self, topic: int, seq: int) -> bytes | None:
        """The chain value at ``seq``, wherever the clock stands; ``None`` beyond what there is."""
        begin = self.base.places[topic]
        if seq <= begin.taken:
            return begin.taken_ck if seq == begin.taken else None
        block = await self._topics[topic].block(seq)
        return block.ck[seq - block.place.seq - 1] if block else None

    async def seq_at(self, topic: int, ts: int) -> int:
        """The seq of the first record at or after ``ts`` (unix ms); beyond the range, its end + 1."""
        return await self._topics[topic].seq_at(ts)

    async def mark_before(self, ts: int) -> Mark:
        """Where the clock stands before the first record at or after ``ts`` (unix ms)."""
        if ts > self.base.ts:
            mark = self.marks.last(ts - 1, key=lambda mark: mark.ts)
        else:
            mark = clock.beginning(self.sources, epochs=self.epochs)
        merge = Merge(self.sources, epochs=self.epochs, mark=mark)
        found = scan.TimeScan([], is_there=False)
        while not found.is_there:
            found = await away(self.sources, scan.find_time, merge, ts)
        return merge.mark

    async def span(self, topic: int, seq: int) -> Span | None:
        """Records of the topic with ``seq`` among them; ``None`` beyond the range."""
        history = self._topics[topic]
        if history.knows_n(seq):
            block = await history.block(seq)
            return history.numbered(block) if block else None
        batch = await self._batch(topic, seq)
        part = _part(batch, topic) if batch else None
        if part is None:
            return None
        span = Span(part.first)
        span.extend(part)
        return span

    async def _batch(self, topic: int, seq: int) -> Batch | None:
        async with self._lock:
            for batch in self._batches:
                part = _part(batch, topic)
                if part and part.first <= seq < part.first + len(part.data):
                    return batch
            merge = self._merge_before(topic, seq)
            found = scan.BatchScan([])
            while found.batch is None and not found.is_over:
                found = await away(self.sources, scan.find_batch, merge, topic, seq)
                for mark in found.passed:
                    self.marks.add(mark.n, mark)
            # Only now: a cancelled search leaves its merge to the thread that still moves it.
            self._merges.append(merge)
            if found.batch:
                self._batches.append(found.batch)
            return found.batch

    def _merge_before(self, topic: int, seq: int) -> Merge:
        def taken(mark: Mark) -> int:
            return mark.places[topic].taken

        mark = self.marks.last(seq - 1, key=taken)
        usable = [merge for merge in self._merges if mark.n <= merge.n and taken(merge.mark) < seq]
        if not usable:
            return Merge(self.sources, epochs=self.epochs, mark=mark)
        merge = max(usable, key=lambda merge: merge.n)
        self._merges.remove(merge)
        return merge


def _part(batch: Batch, topic: int) -> Part | None:
    return next((part for part in batch.parts if part.topic == topic), None)


class TopicHistory:
    """One topic's file, with marks on the way, its end once it was seen, and some of its ``n``."""

    def __init__(self, source: TopicSource, origin: Place, *, numbers: int) -> None:
        self.source = source
        self.marks = Marks(origin)
        self._end: int | None = None
        self._block: Block | None = None
        self._lock = asyncio.Lock()
        self._numbers: array[int] | None = array("q")
        self._numbers_first = 1
        self._numbers_limit = numbers

    def note(self, part: Part) -> None:
        self.marks.add(part.place.seq, part.place)
        if self._numbers is None:
            return
        if not self._numbers:
            self._numbers_first = part.first
        self._numbers.extend(part.n)
        if len(self._numbers) > self._numbers_limit:
            self._numbers = None

    def knows_n(self, seq: int) -> bool:
        return self._numbers is not None and 0 <= seq - self._numbers_first < len(self._numbers)

    def numbered(self, block: Block) -> Span:
        """The records of a block whose ``n`` is known."""
        numbers = self._numbers or array("q")
        first = max(block.place.seq + 1, self._numbers_first)
        start, base = first - block.place.seq - 1, first - self._numbers_first
        ns = numbers[base : base + len(block.data) - start]
        end = start + len(ns)
        span = Span(first)
        span.put(block.ts[start:end], ns, block.data[start:end], block.ck[start:end])
        return span

    async def block(self, seq: int) -> Block | None:
        """The block with ``seq`` (1 or more) in it; ``None`` beyond the range."""
        async with self._lock:
            if self._end is not None and seq > self._end:
                return None
            if self._block and self._block.place.seq < seq <= self._block.next.seq:
                return self._block
            self._block = await self._find(
                self.marks.before(seq - 1), lambda block: block.next.seq >= seq
            )
            return self._block

    async def seq_at(self, ts: int) -> int:
        place = self.marks.last(ts - 1, key=lambda place: place.floor)
        async with self._lock:
            block = await self._find(place, lambda block: block.ts[-1] >= ts)
        if block is None:
            return (self._end or 0) + 1
        return block.place.seq + 1 + bisect_left(block.ts, ts)

    async def _find(self, place: Place, is_it: Callable[[Block], bool]) -> Block | None:
        found = scan.BlockScan([], next=place)
        while found.block is None and found.next is not None:
            found = await away([self.source], scan.find_block, self.source, found.next, is_it)
            for passed in found.passed:
                self.marks.add(passed.seq, passed)
        if found.block is None:
            self._end = found.passed[-1].seq
        return found.block
