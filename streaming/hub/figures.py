"""What a hub tells about itself, for the API, the admin and the metrics."""

from dataclasses import dataclass

from streaming.hub.line import Line


@dataclass(frozen=True, slots=True)
class TopicFigures:
    """
    One open topic as this process knows it.

    ``records`` and ``bytes`` count what was published here since the topic was opened,
    ``deliveries`` records times subscribers, ``gaps`` GAP and REWIND frames, ``dropped`` records
    that these named; ``last_ts`` is the time of the last record published here (unix ms, 0 for
    none). ``is_source`` marks a topic of a historical source, ``is_ended`` one that had its END.
    """

    name: str
    alias: int
    epoch: str
    start: int
    head: int
    ck: str
    records: int
    bytes: int
    subscribers: int
    deliveries: int
    gaps: int
    dropped: int
    last_ts: int
    is_source: bool
    is_ended: bool


@dataclass(frozen=True, slots=True)
class HubFigures:
    """The totals of a process; ``flush_seconds`` is the time spent in all ``flushes``."""

    connections: int
    topics: int
    deliveries: int
    gaps: int
    dropped: int
    published: int
    flushes: int
    flush_seconds: float


def of_line(line: Line) -> TopicFigures:
    """Read the figures of one topic."""
    log, counters = line.log, line.counters
    return TopicFigures(
        name=line.key[1],
        alias=line.alias,
        epoch=log.epoch,
        start=log.start,
        head=log.head,
        ck=log.ck.hex(),
        records=counters.published,
        bytes=counters.bytes,
        subscribers=len(line.subscriptions),
        deliveries=counters.deliveries,
        gaps=counters.gaps,
        dropped=counters.dropped,
        last_ts=counters.last_ts,
        is_source=log.is_ordered,
        is_ended=line.ending is not None,
    )
