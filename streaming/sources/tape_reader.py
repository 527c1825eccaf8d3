"""Reading what a session recorded, topic by topic and from any place, as a source of another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Exists, Min, OuterRef, QuerySet
from django.db.models.functions import Length

from streaming.core.errors import TopicNotFound
from streaming.models import Log, Record
from streaming.models.log import LEDGER
from streaming.sources import clock, frames_names
from streaming.sources.blocks import Block, Place, RowReport, chained
from streaming.sources.clock_range import ClockRange
from streaming.sources.csv_columns import TYPES
from streaming.sources.source import Source, SourceSpec, block_bytes, chosen

BLOCK_BYTES = 65_536
BLOCK_RECORDS = 512
RUNS = "runs."

PRIORITIES: Mapping[str, int] = {
    **{name.lower(): columns.priority for name, columns in TYPES.items()},
    **{name.lower(): priority for name, priority in frames_names.PRIORITIES.items()},
    "orderbook": 4,
}
"""What the words of a topic's name say of its order at one timestamp."""
OTHERS = 6


@dataclass(frozen=True)
class TapeTopic:
    """
    One recorded topic within a range of its clock; keeps ``blocks.TopicSource``.

    Its epochs follow each other as they did when they were recorded. The clock time of a record is
    the one it was published at, and never falls: where it did, because a wall clock was put back,
    the record stands where the one before it does. Reads the database, a block at a time.
    """

    is_stored: ClassVar[bool] = True

    log_id: int
    topic: str
    epochs: tuple[str, ...]
    range: ClockRange = field(default_factory=ClockRange)
    block_bytes: int = BLOCK_BYTES

    @property
    def priority(self) -> int:
        words = self.topic.lower().split(".")
        return next((PRIORITIES[word] for word in words if word in PRIORITIES), OTHERS)

    def begin(self, ck: bytes) -> Place:
        """The place before the first record; in a place ``file`` is the epoch, ``offset`` a seq."""
        return Place(file=0, offset=0, line=0, floor=0, seq=0, ck=ck)

    def read(self, place: Place, report: RowReport | None = None) -> Block | None:
        """The first block at or after ``place``, or ``None`` when the range ends before."""
        place = place._replace(skip=0, skip_ck=b"")
        while place.file < len(self.epochs):
            rows = self._rows(place)
            if rows:
                return _block(place, rows)
            place = place._replace(file=place.file + 1, offset=0)
        return None

    def facts(self) -> list[Any]:
        """What a checkpoint rests on; what is recorded later changes no place before it."""
        return [self.log_id, self.block_bytes]

    def _rows(self, place: Place) -> list[tuple[int, int, bytes]]:
        left = self._records(place).annotate(size=Length("body"))
        sizes = list(left.values_list("seq", "size")[:BLOCK_RECORDS])
        if not sizes:
            return []
        totals = accumulate(size for _, size in sizes)
        count = max(1, sum(total <= self.block_bytes for total in totals))
        rows = self._records(place).filter(seq__lte=sizes[count - 1][0])
        return [(seq, ts, bytes(body)) for seq, ts, body in rows.values_list("seq", "ts", "body")]

    def _records(self, place: Place) -> QuerySet[Record]:
        rows = Record.objects.filter(log=self.log_id, epoch=self.epochs[place.file])
        # What a tape that began late is proven by has no time.
        first = max(1, self.range.from_ms)
        rows = rows.filter(seq__gt=place.offset, ts__gte=first, ts__lte=self.range.to_ms)
        return rows.order_by("seq")


def _block(place: Place, rows: list[tuple[int, int, bytes]]) -> Block:
    times = list(accumulate((ts for _, ts, _ in rows), max, initial=place.floor))[1:]
    texts = [body for _, _, body in rows]
    cks = chained(place.ck, place.seq + 1, texts)
    after = place._replace(
        offset=rows[-1][0], floor=times[-1], seq=place.seq + len(rows), ck=cks[-1]
    )
    return Block(place, times, texts, cks, after)


def open_tape(spec: SourceSpec) -> Source:
    """
    The recorded topics of the session that a source names; reads the database.

    :raises TopicNotFound: naming the topic or pattern that has no record at all
    """
    known = {row.name: row.pk for row in _recorded(spec.session)}
    names = chosen(spec.topics, lambda: sorted(known))
    size = block_bytes(len(names), most=BLOCK_BYTES)
    return Source(
        spec, clock.in_order([_open(spec, name, known.get(name), size) for name in names])
    )


def _recorded(session_id: UUID | str) -> QuerySet[Log]:
    rows = Log.objects.filter(session_id=session_id).exclude(name=LEDGER)
    return rows.filter(Exists(Record.objects.filter(log=OuterRef("pk"), ts__gt=0))).exclude(
        name__startswith=RUNS
    )


def _open(spec: SourceSpec, topic: str, log_id: int | None, size: int) -> TapeTopic:
    if log_id is None:
        raise TopicNotFound(f"There is no recording of the topic {topic}.", topic=topic)
    begun = Record.objects.filter(log=log_id, ts__gt=0).values("epoch").annotate(first=Min("ts"))
    epochs = begun.order_by("first", "epoch").values_list("epoch", flat=True)
    return TapeTopic(log_id, topic, tuple(epochs), spec.range, size)
