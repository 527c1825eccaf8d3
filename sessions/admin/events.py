"""A session's ledger as rows of its timeline: newest first, paged by position."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone

from aegis_project import marks
from sessions.admin.words import Sentence, sentence
from sessions.selectors import timeline
from streaming.models import Event

SHOWS = {
    "all": "All",
    "errors": "Errors",
    "people": "People",
    "agents": "Agents",
    "data": "Data",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One event as the timeline shows it."""

    session_id: UUID
    seq: int
    type: str
    at: datetime
    actor: str
    is_person: bool
    sentence: Sentence
    clock: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    Some consecutive rows of a timeline, newest first, and whether older ones follow.

    ``start`` is the first event of the ledger that is kept.
    """

    rows: list[Row]
    has_older: bool
    start: int

    @property
    def oldest(self) -> int:
        """The seq to ask for what is older."""
        return self.rows[-1].seq if self.rows else 0


def stretch(session_id: UUID, *, show: str, before: int | None = None) -> Stretch:
    """The newest events, or the newest of those before a position."""
    found, has_older = timeline.newest(session_id, show=show, before=before)
    return Stretch(
        in_words(session_id, found), has_older=has_older, start=timeline.start(session_id)
    )


def news(session_id: UUID, *, show: str, after: int, head: int) -> list[Row]:
    """The newest events of those after a position and up to ``head``, newest first."""
    return in_words(session_id, timeline.news(session_id, show=show, after=after, head=head))


def in_words(session_id: UUID, events: Sequence[Event]) -> list[Row]:
    """Events as rows, in the order given."""
    now = timezone.now()
    return [_row(session_id, event, now) for event in events]


def _row(session_id: UUID, event: Event, now: datetime) -> Row:
    kind, _, label = event.actor.partition(":")
    is_trigger = label.startswith("trigger:")
    return Row(
        session_id=session_id,
        seq=event.seq,
        type=event.type,
        at=event.ts,
        actor="a trigger" if is_trigger else label or event.actor,
        is_person=kind == "user",
        sentence=sentence(event.type, timeline.data(event)),
        clock=marks.clock(event.ts, now=now),
    )


def html(rows: Sequence[Row], *, is_new: bool = False) -> str:
    """Rows as list items."""
    return render_to_string("admin/aegis/session/events.html", {"rows": rows, "is_new": is_new})


def pretty(data: Any) -> str:
    """JSON as people read it."""
    return json.dumps(data, indent=2, ensure_ascii=False, default=str)
