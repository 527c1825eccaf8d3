"""What topics have in common that are read from lines in files, block by block, from any place."""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from streaming.core.errors import SourceUnreadable
from streaming.sources.blocks import Block, Place, RowReport, chained
from streaming.sources.clock_range import ClockRange


class Lines(Protocol):
    """Whole lines: what was read to get them, and whether they are the last of their file."""

    @property
    def size(self) -> int: ...

    @property
    def lines(self) -> int: ...

    @property
    def is_last(self) -> bool: ...


class Found(NamedTuple):
    """The good records of a chunk, and the clock behind it (unix ms)."""

    times: list[int]
    texts: list[bytes]
    floor: int


Chunk = TypeVar("Chunk", bound=Lines)


class LinesTopic(ABC, Generic[Chunk]):
    """A topic within a range of its clock; keeps ``blocks.TopicSource``."""

    is_stored: ClassVar[bool] = False

    root: Path
    range: ClockRange
    block_bytes: int

    @property
    @abstractmethod
    def topic(self) -> str:
        """Its name."""

    @property
    @abstractmethod
    def paths(self) -> Sequence[str]:
        """Its files below ``root``, in their order."""

    @abstractmethod
    def chunk(self, place: Place) -> Chunk:
        """
        The lines at a place.

        :raises OSError: when the file is gone or may not be read
        """

    @abstractmethod
    def records(self, place: Place, chunk: Chunk, report: RowReport | None) -> Found:
        """What is good in these lines; the rest is told to the report."""

    def goes_on(self, place: Place) -> bool:
        """Whether the range can still have something at this place."""
        return place.file < len(self.paths)

    def read(self, place: Place, report: RowReport | None = None) -> Block | None:
        """
        The first block at or after ``place``, or ``None`` when the range ends before.

        Bad lines are skipped and told to the report, but those before the range need not be.

        :raises SourceUnreadable: when a file is gone or may not be read
        """
        place = place._replace(skip=0, skip_ck=b"")
        while self.goes_on(place):
            chunk = self._chunk(place)
            found = self.records(place, chunk, report)
            after = self._behind(place, chunk, found.floor)
            times, texts = self._within_range(found)
            if times:
                cks = chained(place.ck, place.seq + 1, texts)
                after = after._replace(seq=place.seq + len(times), ck=cks[-1])
                return Block(place, times, texts, cks, after)
            place = after
        return None

    def facts(self) -> list[Any]:
        """
        What a checkpoint rests on: how it is read, its files and their bytes.

        :raises SourceUnreadable: when one is gone
        """
        return [self.block_bytes, [(path, self._size(path)) for path in self.paths]]

    def _size(self, path: str) -> int:
        try:
            return (self.root / path).stat().st_size
        except OSError as error:
            raise self._unreadable(path, error) from None

    def _chunk(self, place: Place) -> Chunk:
        try:
            return self.chunk(place)
        except OSError as error:
            raise self._unreadable(self.paths[place.file], error) from None

    def _unreadable(self, path: str, error: OSError) -> SourceUnreadable:
        return SourceUnreadable(
            f"{path} cannot be read.", topic=self.topic, file=path, reason=error.strerror
        )

    def _behind(self, place: Place, chunk: Lines, floor: int) -> Place:
        if floor > self.range.to_ms:
            return place._replace(file=len(self.paths), offset=0, line=0, floor=floor)
        if chunk.is_last:
            return place._replace(file=place.file + 1, offset=0, line=0, floor=floor)
        offset, line = place.offset + chunk.size, place.line + chunk.lines
        return place._replace(offset=offset, line=line, floor=floor)

    def _within_range(self, found: Found) -> tuple[list[int], list[bytes]]:
        times, texts, _ = found
        if not times or (times[0] >= self.range.from_ms and times[-1] <= self.range.to_ms):
            return times, texts
        first = bisect_left(times, self.range.from_ms)
        last = bisect_right(times, self.range.to_ms)
        return times[first:last], texts[first:last]
