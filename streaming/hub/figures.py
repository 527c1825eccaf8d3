"""What a hub tells about itself, for the API, the admin and the metrics."""

from dataclasses import dataclass

import msgspec

from streaming.hub.line import Line
from streaming.hub.subscription import Subscription


class SubscriberFigures(msgspec.Struct, frozen=True, kw_only=True):
    """
    One subscription of a topic.

    ``lag`` counts the records that it has not taken yet: with a COMMIT window those that it has
    not committed, else those that were not sent. ``gaps`` counts its GAP and REWIND frames,
    ``dropped`` the records that these named. ``unsent`` is what waits in the server for its
    socket, in bytes; None where the server holds the sender back instead (``is_stuck`` says
    that it does so now).
    """

    component_id: str
    policy: str
    lag: int
    gaps: int
    dropped: int
    unsent: int | None
    is_stuck: bool
    is_paused: bool
    is_open: bool


class TopicFigures(msgspec.Struct, frozen=True, kw_only=True):
    """
    One open topic as this process knows it.

    ``records`` and ``bytes`` count what was published here since the topic was opened,
    ``deliveries`` records times subscribers, ``gaps`` GAP and REWIND frames, ``dropped`` records
    that these named; ``last_ts`` is the time of the last record published here (unix ms, 0 for
    none); ``lag`` is the largest of its subscribers (see :class:`SubscriberFigures`).
    ``is_source`` marks a topic of a historical source, ``is_ended`` one that had its END.
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
    lag: int
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
        lag=max(map(lag, line.subscriptions), default=0),
        is_source=log.is_ordered,
        is_ended=line.ending is not None,
    )


def lag(subscription: Subscription) -> int:
    """How many records a subscription has not taken yet."""
    window = subscription.connection.seat.window
    taken = subscription.committed if window else subscription.next - 1
    return max(subscription.line.log.head - taken, 0)


def of_subscription(subscription: Subscription) -> SubscriberFigures:
    """Read the figures of one subscription."""
    connection = subscription.connection
    return SubscriberFigures(
        component_id=connection.seat.component_id,
        policy=subscription.policy,
        lag=lag(subscription),
        gaps=subscription.gaps,
        dropped=subscription.dropped,
        unsent=connection.unsent,
        is_stuck=not connection.is_free,
        is_paused=subscription.is_paused,
        is_open=connection.is_open,
    )
