"""How checkpoints look: the rows of their tab, and what the page of one shows of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from aegis_project import marks
from sessions.admin.events import pretty
from sessions.core.checkpoints import Cause, Change, Effects, Moment
from sessions.models import Checkpoint, Session
from sessions.selectors import checkpoints as reading
from sessions.selectors.checkpoints import Difference, Held

LAST = 100
EFFECTS = {
    Effects.RECORDED: (
        "Recorded",
        "Tools answer with what came of the same call in the original. Nothing is carried out.",
    ),
    Effects.STUB: ("Stub", "Every tool says that nothing is carried out, and nothing is."),
    Effects.LIVE: (
        "Live",
        "Tools are carried out under the policies. Whoever approved a call before is asked anew.",
    ),
}
MOMENTS: dict[str, str] = {
    Moment.RUN_START: "A run began",
    Moment.BEFORE_TOOL: "Before a tool",
    Moment.APPROVAL_PENDING: "Somebody was asked",
    Moment.RUN_END: "A run ended",
    Moment.PAUSE: "Session paused",
}


def name(row: Checkpoint) -> str:
    """What a checkpoint is called: its label, or the moment at which it was taken."""
    return row.label or MOMENTS.get(row.moment, "") or f"Position {row.seq}"


def address(row: Checkpoint) -> str:
    """Its page."""
    return reverse("admin:aegis_sessions_session_checkpoint", args=[row.session_id, row.pk])


def cause(row: Checkpoint) -> str:
    """Who took it, in words."""
    if row.cause == Cause.AUTOMATIC:
        return "automatic"
    return f"manual, by {row.author.partition(':')[2] or row.author}"


def panel(session: Session, *, now: datetime) -> dict[str, Any]:
    """The newest checkpoints of a session as rows, and how many there may be more."""
    found = Checkpoint.objects.of_session(session.pk)[: LAST + 1]
    shown = list(found)
    names = reading.names(shown)
    return {
        "rows": [_row(one, names[one.snapshot_id], now=now) for one in shown[:LAST]],
        "is_cut": len(shown) > LAST,
        "last": LAST,
    }


def _row(row: Checkpoint, names: Sequence[str], *, now: datetime) -> dict[str, Any]:
    return {
        "checkpoint": row,
        "name": name(row),
        "address": address(row),
        "cause": cause(row),
        "state": marks.chip(row.state, marks.SESSION),
        "at": marks.clock(row.created_at, now=now),
        "participants": names,
    }


def held(row: Checkpoint, *, now: datetime) -> dict[str, Any]:
    """What a checkpoint holds, for its page."""
    found: Held = reading.held(row)
    return {
        **_row(row, [one["name"] for one in found.participants], now=now),
        "parts": found.participants,
        "memory": pretty(found.memory) if found.memory else "",
        "positions": found.positions,
        "runs": found.runs,
        "clock": (row.clock or {}).get("clock"),
    }


def difference(found: Difference) -> dict[str, Any]:
    """What lies between two positions: how often what happened, and what is otherwise."""
    return {
        "before": found.before.seq,
        "after": found.after.seq,
        "happened": sorted(found.happened.items()),
        "count": sum(found.happened.values()),
        "changes": [
            *_changes("Memory", found.memory, pretty),
            *_changes("Participant", found.participants, pretty),
            *_changes("Topic", found.positions, _position),
        ],
        "open": found.after.runs,
    }


def _changes(
    kind: str, found: Sequence[Change], said: Callable[[Any], str]
) -> list[dict[str, str]]:
    return [
        {
            "kind": kind,
            "name": one.name,
            "before": "" if one.before is None else said(one.before),
            "after": "" if one.after is None else said(one.after),
        }
        for one in found
    ]


def _position(at: Mapping[str, Any]) -> str:
    return f"{at['seq']} of epoch {at['epoch']}"
