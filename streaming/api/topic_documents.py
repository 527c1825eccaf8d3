"""Topics and their records as the canonical interface shows them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from streaming.api.codecs import Timestamp
from streaming.api.documents import Limit
from streaming.api.live import Figures
from streaming.core.position import MAX_SEQ
from streaming.core.resume import Gap, Notice, Rewind
from streaming.models import Log

Place = Annotated[
    str,
    Meta(
        pattern="^([0-9a-f]{16}:[0-9]{1,16}:[0-9a-f]{16})?$",
        description="A position: `epoch:seq:ck`.",
    ),
]
Milliseconds = Annotated[int, Meta(ge=0, le=MAX_SEQ, description="Unix milliseconds.")]


class LiveFigures(Struct, kw_only=True):
    """What the process that answers knows of a topic that is open in it."""

    subscribers: int
    records: int
    bytes: int
    deliveries: int
    gaps: int
    dropped: int
    last_ts: int


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
    """Where the published records stand."""

    topic: str
    epoch: str
    first: int
    last: int
    position: str


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


def _topic(row: Log, found: Figures) -> TopicDocument:
    live = found.get(row.name)
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
        live=LiveFigures(**{name: getattr(live, name) for name in LIVE}) if live else None,
    )


LIVE = LiveFigures.__struct_fields__
