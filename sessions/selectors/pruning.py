"""What of sessions that are over may leave before they do: first events, and files that were made."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Exists, F, Min, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least

from sessions.core.events import WorkEvent
from sessions.models import Artifact, Bookmark, Checkpoint, Delivery, Session
from streaming.models import Event, Log
from streaming.models.log import LEDGER

DUE = "due"


def with_old_events(rows: QuerySet[Any]) -> QuerySet[Any]:
    """
    Those of these sessions whose ledgers may lose their beginning; ``bound`` is what comes first then.

    Only a prefix goes. What a bookmark or a checkpoint is of stays with all behind it, and so does
    what a webhook has not been sent yet, and the newest event.
    """
    ledger = Log.objects.filter(session=OuterRef("pk"), name=LEDGER)
    head = F("ledger_head")
    firsts = [
        Coalesce(_first(model, **only), head)
        for model, only in ((Bookmark, {}), (Checkpoint, {}), (Delivery, {"state": DUE}))
    ]
    found: QuerySet[Any] = (
        rows.annotate(
            ledger_start=Subquery(ledger.values("start")),
            ledger_head=Subquery(ledger.values("head")),
        )
        .annotate(bound=Least(head, *firsts))
        .filter(bound__gt=F("ledger_start"))
    )
    return found


def _first(model: type[Model], **only: str) -> Subquery:
    # No rows of the session, or only bookmarks of messages: there is none.
    rows = model._default_manager.filter(session=OuterRef("pk"), **only).order_by()
    return Subquery(rows.values("session").annotate(first=Min("seq")).values("first"))


def bound(session_id: UUID) -> int:
    """Where the ledger of a session may begin; 0 if none of it may go."""
    rows = with_old_events(Session.objects.filter(pk=session_id))
    found: int | None = rows.values_list("bound", flat=True).first()
    return found or 0


def leaving(session_id: UUID) -> QuerySet[Event]:
    """The events of a session that may go."""
    rows = Event.objects.filter(log__session=session_id, log__name=LEDGER)
    return rows.filter(seq__gte=F("log__start"), seq__lt=bound(session_id))


def with_old_files(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those of these sessions that have files which nobody marked."""
    return rows.filter(Exists(unmarked().filter(session=OuterRef("pk"))))


def unmarked() -> QuerySet[Artifact]:
    """
    The files that no bookmark is of.

    One is of a file if it is of the event that told of it, or of a message of the run that made it.
    """
    runs = Bookmark.objects.exclude(message__run=None).values("message__run")
    rows = Artifact.objects.exclude(pk__in=list(_told()))
    return rows.exclude(run__in=runs)


def _told() -> Iterator[UUID]:
    """The files whose making is bookmarked as an event."""
    marks = Bookmark.objects.filter(session=OuterRef("log__session"), seq=OuterRef("seq"))
    rows = Event.objects.filter(
        Exists(marks), log__name=LEDGER, type=WorkEvent.ARTIFACT_CREATED.value
    )
    for body in rows.values_list("body", flat=True):
        yield UUID(orjson.loads(body)["data"]["artifact"])
