"""Sessions as the command line shows them."""

from collections.abc import Sequence
from typing import Any

import typer
from django.utils import timezone

from sessions.api import documents
from sessions.dialects import outlook
from sessions.dialects.outlook import Dialect
from sessions.management import output, session_waits
from sessions.management.session_waits import Waits
from sessions.management.verbs import Exit
from sessions.models import Session
from sessions.selectors import sessions
from sessions.selectors.sessions import View
from streaming.api import codecs


def shown(rows: Sequence[Session], *, previous: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The canonical documents of sessions, with the states before if they are given."""
    now = timezone.now()
    before = previous or [""] * len(rows)
    views = sessions.views(rows, now=now)
    return [
        codecs.show(documents.document(view, now=now, previous=state))
        for view, state in zip(views, before, strict=True)
    ]


def tell(dialect: Dialect, row: Session) -> None:
    """
    Print what a client of a dialect reads of a session.

    :raises Exit: where that client does not find it
    """
    output.line(outlook.one(dialect, row))
    if not outlook.is_there(dialect, row):
        raise typer.Exit(Exit.NOT_FOUND)


def table(rows: Sequence[Session]) -> dict[str, list[str]]:
    """The columns of a list of sessions."""
    now = timezone.now()
    views = sessions.views(rows, now=now)
    return {
        "KEY": [row.key for row in rows],
        "STATE": [state(view) for view in views],
        "NAME": [row.name for row in rows],
        "KIND": [row.kind for row in rows],
        "MODE": [row.mode for row in rows],
        "ENV": [row.environment for row in rows],
        "PARTS": [parts(view) for view in views],
        "LAST": [output.age(row.last_activity_at, now=now) for row in rows],
        "TAGS": [" ".join(row.tags) for row in rows],
    }


def listed(rows: Sequence[Session], waits: Waits) -> dict[str, list[str]]:
    """The same with what waits for people in each."""
    columns = table(rows)
    tags = columns.pop("TAGS")
    waiting = [session_waits.cell(waits, str(row.pk)) for row in rows]
    return {**columns, "WAITS": waiting, "TAGS": tags}


def card(row: Session) -> dict[str, list[str]]:
    """The columns of one session with its times."""
    now = timezone.now()
    view = sessions.view(row, now=now)
    uptime = row.uptime_seconds(now=now)
    return {
        "KEY": [row.key],
        "STATE": [state(view)],
        "NAME": [row.name],
        "MODE": [row.mode],
        "UPTIME": [duration(uptime)],
        "CREATED": [output.age(row.created_at, now=now)],
        "STARTED": [output.age(row.started_at, now=now)],
        "STOPPED": [output.age(row.stopped_at, now=now)],
        "PARTS": [parts(view)],
    }


def state(view: View) -> str:
    """The state with its shape, and the conditions."""
    words = [output.state(view.session.state), *(one.value for one in view.conditions)]
    return "  ".join(words)


def parts(view: View) -> str:
    """How many components are there, of how many."""
    return f"{view.present_count}/{len(view.participants)}"


def duration(seconds: float) -> str:
    """A duration as `1h 2m 3s`."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        " ".join(f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if n)
        or "0s"
    )
