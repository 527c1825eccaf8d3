"""Runs as rows: beside a conversation, and in the table of a session."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string

from aegis_project import marks
from sessions.admin.approval_cells import person
from sessions.core.runs import State
from sessions.models import Run, Session
from sessions.selectors import voices

BESIDE = 8
"""Runs that stand beside a conversation."""


def beside(session: Session, *, now: datetime) -> str:
    """The last runs with what they took: the drawer beside the conversation."""
    rows = families(voices.last_runs(session.pk, limit=BESIDE), now=now)
    return render_to_string(
        "admin/aegis/session/runs.html", {"rows": rows, "session": session, "limit": BESIDE}
    )


def families(runs: Sequence[Run], *, now: datetime) -> list[dict[str, Any]]:
    """The rows of runs, the newest first, and each that another run began beneath that one."""
    known, below = {run.pk for run in runs}, defaultdict[UUID | None, list[Run]](list)
    for run in reversed(runs):
        below[run.parent_id].append(run)

    def with_those(run: Run) -> Iterator[Run]:
        yield run
        for one in below[run.pk]:
            yield from with_those(one)

    first = [run for run in runs if run.parent_id not in known]
    return [context(one, now=now) for run in first for one in with_those(run)]


def context(run: Run, *, now: datetime) -> dict[str, Any]:
    """What a row of a run shows."""
    took = (run.ended_at or now) - run.started_at if run.started_at else None
    return {
        "run": run,
        "chip": marks.chip(run.state, marks.RUN),
        "asked_by": person(run.requested_by),
        "took": marks.took(took.total_seconds()) if took else "–",
        "cost": f"{run.cost:.4f}" if run.cost else "–",
        "error": (run.error or {}).get("message", ""),
        "is_open": run.state in {State.QUEUED, State.WORKING, State.WAITING},
    }
