"""What may leave for good: of sessions that are over for long enough, and that nobody needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.db.models.functions import Length

from aegis_project.kit.errors import ValidationFailed
from sessions.core.lifecycle import CLOSED
from sessions.models import Artifact, Attachment, Message, Session, Snapshot
from sessions.selectors import pruning
from streaming.models import Event, Record
from streaming.models.log import LEDGER

MOST_DAYS = 36_500


class What(StrEnum):
    """What goes: sessions with all that is theirs, or only this of them."""

    SESSIONS = "sessions"
    EVENTS = "events"
    ARTIFACTS = "artifacts"


@dataclass(frozen=True, slots=True)
class Wish:
    """What may go: over for so many days, in this state if one is named, with this tag if one is."""

    older_than_days: float
    state: str = ""
    tag: str = ""
    what: What = What.SESSIONS

    def check(self) -> None:
        """
        Go on only with a wish that can be.

        :raises ValidationFailed: for fewer than no days, or a state of a session that is not over
        """
        if not 0 <= self.older_than_days <= MOST_DAYS:
            raise ValidationFailed("So many days cannot be.", field="older_than_days")
        if self.state and self.state not in CLOSED:
            words = ", ".join(sorted(CLOSED))
            raise ValidationFailed(f"A session that is over is {words}.", field="state")


def by_settings() -> list[Wish]:
    """What the settings let go, in the order in which it goes; what is kept for ever is left out."""
    env = settings.ENVIRONMENT
    days = {
        What.SESSIONS: env.keep_sessions_days,
        What.ARTIFACTS: env.keep_artifacts_days,
        What.EVENTS: env.keep_events_days,
    }
    return [Wish(kept, what=what) for what, kept in days.items() if kept]


@dataclass(frozen=True, slots=True)
class Weight:
    """A session, and what goes with it or of it; ``bytes`` are those of its contents."""

    session: Session
    events: int = 0
    records: int = 0
    messages: int = 0
    files: int = 0
    bytes: int = 0


def due(wish: Wish, *, now: datetime) -> QuerySet[Session]:
    """
    The sessions that may go, or something of them, those that were over first, first.

    One is held as long as another that is open was forked from it, or replays what it recorded.
    """
    rows = _over(wish, now=now)
    match wish.what:
        case What.EVENTS:
            rows = pruning.with_old_events(rows)
        case What.ARTIFACTS:
            rows = pruning.with_old_files(rows)
    return rows.order_by("stopped_at", "pk")


def _over(wish: Wish, *, now: datetime) -> QuerySet[Session]:
    before = now - timedelta(days=wish.older_than_days)
    states = [wish.state] if wish.state else sorted(CLOSED)
    rows = Session.objects.filter(state__in=states, stopped_at__lte=before)
    if wish.tag:
        rows = rows.filter(pk__in=Session.objects.filter(tagged__tag__name=wish.tag).values("pk"))
    forked = Session.objects.open().exclude(fork=None).values("fork__parent")
    ids, names = _replayed()
    rows = rows.exclude(pk__in=forked.exclude(fork__parent=None))
    return rows.exclude(pk__in=ids).exclude(key__in=names)


def _replayed() -> tuple[set[UUID], set[str]]:
    """What sessions that are open replay: ids and keys."""
    ids, names = set[UUID](), set[str]()
    rows = Session.objects.open().filter(config__has_key="source")
    for config in rows.values_list("config", flat=True).iterator():
        name = str(_member(config, "source", "session") or "")
        try:
            ids.add(UUID(name))
        except ValueError:
            names.add(name)
    return ids, names - {""}


def _member(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def weight(session: Session, what: What = What.SESSIONS) -> Weight:
    """What a session that is due holds, or what of it goes."""
    match what:
        case What.EVENTS:
            events = pruning.leaving(session.pk)
            return Weight(session, events=events.count(), bytes=_bytes(events, "body"))
        case What.ARTIFACTS:
            files = pruning.unmarked().filter(session=session)
            return Weight(session, files=files.count(), bytes=_size(files))
    return _whole(session)


def _whole(session: Session) -> Weight:
    pk = session.pk
    events = Event.objects.filter(log__session=pk, log__name=LEDGER)
    records = Record.objects.filter(log__session=pk)
    messages = Message.objects.filter(session=pk)
    files = [model.objects.filter(session=pk) for model in (Attachment, Artifact)]
    sizes = [
        *(_bytes(rows, "body") for rows in (events, records)),
        _bytes(messages, "content"),
        *(_size(rows) for rows in files),
        _size(Snapshot.objects.filter(session=pk)),
    ]
    return Weight(
        session=session,
        events=events.count(),
        records=records.count(),
        messages=messages.count(),
        files=sum(rows.count() for rows in files),
        bytes=sum(sizes),
    )


def _size(rows: QuerySet[Any]) -> int:
    return rows.aggregate(found=Sum("size"))["found"] or 0


def _bytes(rows: QuerySet[Any], column: str) -> int:
    found: int | None = rows.aggregate(found=Sum(Length(column)))["found"]
    return found or 0


def paths(session_id: UUID) -> Iterator[str]:
    """Where the files of a session are in the storage."""
    for model in (Attachment, Artifact):
        yield from model.objects.filter(session=session_id).values_list("path", flat=True)
