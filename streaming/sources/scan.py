"""Looking for a record of one topic or of the merge, a slice of the way at a time."""

from collections.abc import Callable
from typing import NamedTuple

from streaming.sources.blocks import Block, Place, TopicSource
from streaming.sources.clock import Batch, Mark, Merge

BLOCKS_AT_ONCE = 32
"""How many blocks are read before others get their turn: some tens of milliseconds."""


class BlockScan(NamedTuple):
    """The block looked for, or the place to go on from; neither when the topic has ended."""

    passed: list[Place]
    block: Block | None = None
    next: Place | None = None


def find_block(source: TopicSource, place: Place, is_it: Callable[[Block], bool]) -> BlockScan:
    """
    The first block from ``place`` on that ``is_it``; reads files, and returns after a while.

    ``passed`` are the places of the blocks that were read.

    :raises SourceUnreadable: when a file is gone or may not be read
    """
    passed: list[Place] = []
    for _ in range(BLOCKS_AT_ONCE):
        block = source.read(place)
        if block is None:
            return BlockScan([*passed, place])
        passed.append(block.place)
        if is_it(block):
            return BlockScan(passed, block)
        place = block.next
    return BlockScan(passed, next=place)


class BatchScan(NamedTuple):
    """The batch looked for, the marks passed, and whether the merge has ended."""

    passed: list[Mark]
    batch: Batch | None = None
    is_over: bool = False


def find_batch(merge: Merge, topic: int, seq: int) -> BatchScan:
    """
    The first batch that has the record ``seq`` of the topic with this index; moves the merge.

    :raises SourceUnreadable: when a file is gone or may not be read
    """
    passed: list[Mark] = []
    for _ in range(BLOCKS_AT_ONCE):
        batch = merge.read()
        if batch is None:
            return BatchScan(passed, is_over=True)
        passed.append(batch.mark)
        if batch.mark.places[topic].taken >= seq:
            return BatchScan(passed, batch)
    return BatchScan(passed)


class TimeScan(NamedTuple):
    """The marks passed, and whether everything before the time has been passed."""

    passed: list[Mark]
    is_there: bool


def find_time(merge: Merge, ts: int) -> TimeScan:
    """
    Move the merge to before the first record at or after ``ts`` (unix ms), or to its end.

    :raises SourceUnreadable: when a file is gone or may not be read
    """
    passed: list[Mark] = []
    for _ in range(BLOCKS_AT_ONCE):
        batch = merge.read(before=ts)
        if batch is None:
            return TimeScan(passed, is_there=True)
        passed.append(batch.mark)
    return TimeScan(passed, is_there=False)
