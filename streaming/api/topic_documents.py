"""Topics and their records as the canonical interface shows them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from streaming.api.codecs import Timestamp
from streaming.api.documents import Limit
from streaming.api.live import Figures
from streaming.core.position import MAX_SEQ
from streaming.core.resume import Gap, Notice, Rewind
from streaming.hub.watch import Reading
from streaming.models import Cursor, Log

Place = Annotated[
    str,
    Meta(
        pattern="^([0-9a-f]{16}:[0-9]{1,16}:[0-9a-f]{16})?$",
        description="A position: `epoch:seq:ck`.",
    ),
]
Instant = Annotated[
    str,
    Meta(
        pattern="^([0-9]{1,16}|[0-9]{4}-[0-9]{2}-[0-9]{2}[0-9T:.+Z -]{0,40})?$",
        description="Unix milliseconds or ISO 8601; it belongs to the range.",
    ),
]
Milliseconds = Annotated[int, Meta(ge=0, le=MAX_SEQ, description="Unix milliseconds.")]


class SubscriberDocument(Struct, kw_only=True):
    """
    A component that gets a topic; `lag` is how many records it has not taken yet.

    With a COMMIT window those not committed, else those not sent. `unsent_bytes` is null where
    the server holds the sender back instead. `committed` is the position that it committed last.
    """

    component_id: str
    policy: str
    lag: int
    gaps: int
    dropped: int
    unsent_bytes: int | None
    is_paused: bool
    is_open: bool
    committed: str | None


class SubscriberList(Struct, kw_only=True):
    """The subscribers of a topic, the most backward first; of many, the first hundred."""

    data: list[SubscriberDocument]


class LiveFigures(Struct, kw_only=True):
    """
    What the processes know of a topic that is open; lag is that of its most backward subscriber.

    Null is what is not known (yet). A topic is silent when it is quiet for much longer than its
    normal gap.
    """

    subscribers: int
    records: int
    bytes: int
    deliveries: int
    gaps: int
    dropped: int
    last_ts: int
    lag: int
    lag_seconds: float | None
    records_per_second: float | None
    bytes_per_second: float | None
    quiet_seconds: float
    normal_gap_seconds: float | None
    is_silent: bool


class TopicDocument(Struct, kw_only=True):
    """A named stream of a session; `position` is where it ends."""

    session_id: UUID
    name: str
    epoch: str
    start: int
    head: int
    position: str
    is_recorded: bool
    is_source: bool
    created_at: Timestamp | None
    ended_at: Timestamp | None
    live: LiveFigures | None


class TopicList(Struct, kw_only=True):
    """The topics of a session, by name."""

    data: list[TopicDocument]


class TopicPage(TopicList, kw_only=True):
    """Topics, and the cursor of the page that follows (empty after the last)."""

    next: str


class RecordDocument(Struct, kw_only=True):
    """One entry of a topic; `ts` is unix milliseconds."""

    seq: int
    ts: int
    data: Any


class NoticeDocument(Struct, kw_only=True):
    """
    What must be known before the records.

    rewind: what was held above `last` is no longer in the log. gap: exactly `first` to `last`
    are missing. unknown: nobody can know what is missing.
    """

    kind: Literal["rewind", "gap", "unknown"]
    reason: str
    first: int | None = None
    last: int | None = None


class RecordPage(Struct, kw_only=True):
    """
    Consecutive records of a topic.

    `next` is what `after` must be for those that follow; empty while there was never one.
    """

    topic: str
    epoch: str
    start: int
    head: int
    data: list[RecordDocument]
    next: str
    notice: NoticeDocument | None = None


class RecordQuery(Struct, kw_only=True):
    """Which records: those after a position, else from a start on."""

    after: Place = ""
    start: Annotated[
        str,
        Meta(
            pattern="^(latest(-[0-9]{1,15})?|earliest|(seq|time):[0-9]{1,15})$",
            description="latest-n, earliest, seq:n or time:ms; counts where `after` proves nothing.",
        ),
    ] = "earliest"
    limit: Limit = 100
    wait: Annotated[
        float, Meta(ge=0, le=20, description="Seconds to wait at most until there is a record.")
    ] = 0


class RecordInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A record to publish; without a time it has the server's."""

    data: Any
    ts: Milliseconds | None = None


class PublishInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Records to publish behind each other, all or none."""

    records: Annotated[list[RecordInput], Meta(min_length=1, max_length=1000)]


class PublishedDocument(Struct, kw_only=True):
    """
    Where the published records stand.

    `quarantined` counts those that broke the schema of their topic and stand in `dlq.<topic>`,
    which is also the `topic` here when all did.
    """

    topic: str
    epoch: str
    first: int
    last: int
    position: str
    quarantined: int = 0


def topics(rows: list[Log], found: dict[str, Figures]) -> list[TopicDocument]:
    """Logs with what the hub knows of them; where it is open, the hub knows better."""
    return [_topic(row, found.get(str(row.session_id), {})) for row in rows]


def unlisted(session_id: UUID, rows: list[Log], found: Figures) -> list[TopicDocument]:
    """Topics that are open here, and that no row tells of yet."""
    listed = {row.name for row in rows}
    return [
        _topic(Log(session_id=session_id, name=name), found) for name in found if name not in listed
    ]


def notice(told: Notice | None) -> NoticeDocument | None:
    """A notice of the resume rule as a document."""
    match told:
        case None:
            return None
        case Rewind(to=last):
            return NoticeDocument(kind="rewind", reason="rollback", last=last)
        case Gap(first=first, last=last, reason=reason):
            return NoticeDocument(kind="gap", reason=reason, first=first, last=last)
        case _:
            return NoticeDocument(kind="unknown", reason=told.reason)


def subscribers(reading: Reading | None, cursors: Mapping[str, Cursor]) -> list[SubscriberDocument]:
    """The subscribers of a topic as documents, with their cursors by component id."""
    return [
        SubscriberDocument(
            component_id=one.component_id,
            policy=one.policy,
            lag=one.lag,
            gaps=one.gaps,
            dropped=one.dropped,
            unsent_bytes=one.unsent,
            is_paused=one.is_paused,
            is_open=one.is_open,
            committed=_committed(cursors.get(one.component_id)),
        )
        for one in (reading.subscribers if reading else ())
    ]


def _committed(row: Cursor | None) -> str | None:
    return f"{row.epoch}:{row.seq}:{row.ck}" if row else None


def _topic(row: Log, found: Figures) -> TopicDocument:
    reading = found.get(row.name)
    live = reading.figures if reading else None
    at = live or row
    return TopicDocument(
        session_id=row.session_id,
        name=row.name,
        epoch=at.epoch,
        start=at.start,
        head=at.head,
        position=f"{at.epoch}:{at.head}:{at.ck}",
        is_recorded=row.recorded,
        is_source=live.is_source if live else False,
        created_at=row.created_at,
        ended_at=row.ended_at,
        live=_live(reading) if reading else None,
    )


COUNTED = ("subscribers", "records", "bytes", "deliveries", "gaps", "dropped", "last_ts", "lag")


def _live(reading: Reading) -> LiveFigures:
    return LiveFigures(
        **{name: getattr(reading.figures, name) for name in COUNTED},
        lag_seconds=reading.lag_seconds,
        records_per_second=reading.rate,
        bytes_per_second=reading.size,
        quiet_seconds=reading.quiet,
        normal_gap_seconds=reading.gap,
        is_silent=reading.is_silent,
    )
