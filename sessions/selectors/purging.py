"""Which sessions may leave for good: over for long enough, and nobody needs them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum
from django.db.models.functions import Length

from aegis_project.kit.errors import ValidationFailed
from sessions.core.lifecycle import CLOSED
from sessions.models import Artifact, Attachment, Message, Session, Snapshot
from streaming.models import Event, Record
from streaming.models.log import LEDGER

MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class Wish:
    """What may go: over for so many days, in this state if one is named, with this tag if one is."""

    older_than_days: float
    state: str = ""
    tag: str = ""

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


@dataclass(frozen=True, slots=True)
class Weight:
    """A session that may go, and what goes with it; ``bytes`` are those of its contents."""

    session: Session
    events: int
    records: int
    messages: int
    files: int
    bytes: int


def due(wish: Wish, *, now: datetime) -> QuerySet[Session]:
    """
    The sessions that may go, those that were over first, first.

    One is held as long as another that is open was forked from it, or replays what it recorded.
    """
    before = now - timedelta(days=wish.older_than_days)
    states = [wish.state] if wish.state else sorted(CLOSED)
    rows = Session.objects.filter(state__in=states, stopped_at__lte=before)
    if wish.tag:
        rows = rows.filter(tagged__tag__name=wish.tag).distinct()
    forked = Session.objects.open().exclude(fork=None).values("fork__parent")
    ids, names = _replayed()
    rows = rows.exclude(pk__in=forked.exclude(fork__parent=None))
    return rows.exclude(pk__in=ids).exclude(key__in=names).order_by("stopped_at", "pk")


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


def weight(session: Session) -> Weight:
    """What a session holds."""
    pk = session.pk
    events = Event.objects.filter(log__session=pk, log__name=LEDGER)
    records = Record.objects.filter(log__session=pk)
    messages = Message.objects.filter(session=pk)
    files = [model.objects.filter(session=pk) for model in (Attachment, Artifact)]
    sizes = [
        *(_bytes(rows, "body") for rows in (events, records)),
        _bytes(messages, "content"),
        *(rows.aggregate(found=Sum("size"))["found"] or 0 for rows in files),
        Snapshot.objects.filter(session=pk).aggregate(found=Sum("size"))["found"] or 0,
    ]
    return Weight(
        session=session,
        events=events.count(),
        records=records.count(),
        messages=messages.count(),
        files=sum(rows.count() for rows in files),
        bytes=sum(sizes),
    )


def _bytes(rows: QuerySet[Any], column: str) -> int:
    found: int | None = rows.aggregate(found=Sum(Length(column)))["found"]
    return found or 0


def paths(session_id: UUID) -> Iterator[str]:
    """Where the files of a session are in the storage."""
    for model in (Attachment, Artifact):
        yield from model.objects.filter(session=session_id).values_list("path", flat=True)
