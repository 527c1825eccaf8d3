"""`aegis session watch`: a session live in the terminal."""

import itertools
import shutil
from collections import deque
from typing import Annotated, Any

import orjson
import typer
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.core.lifecycle import CLOSED
from sessions.management import (
    aegis_component,
    aegis_event,
    far_events,
    output,
    session_tables,
    verbs,
)
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, elsewhere, verb
from sessions.models import Session
from sessions.selectors import sessions
from streaming import hints
from streaming.models import Log
from streaming.selectors import events

Follow = Annotated[bool, typer.Option(help="Go on until the session is closed.")]
SHOWN = 15
# What stands beside the last column, and the least that this one gets.
BESIDE, LEAST = 72, 16
LOOK_SECONDS = 2.0


@verb
@elsewhere(far_events.watch)
def watch(
    session: Reference, *, follow: Follow = True, as_user: As = "", is_json: Json = False
) -> None:
    """
    Watch a session: its state, its components and what happens; Ctrl-C stops looking alone.

    Where nobody looks, print its events as event tail does.

    Examples: aegis session watch demo; aegis session watch demo --no-follow --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    if is_json or not output.is_terminal():
        for bodies in aegis_event.followed(principal, row, after=0, follows=follow):
            for body in bodies:
                output.plain(body if is_json else far_events.line(orjson.loads(body)))
        return
    _live(principal, row, follows=follow)


def _live(principal: Principal, row: Session, *, follows: bool) -> None:
    from rich.live import Live  # noqa: PLC0415 -- slow import

    last: deque[dict[str, Any]] = deque(maxlen=SHOWN)
    after = max(0, _head(row) - SHOWN)
    with Live(auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        while True:
            # Before the reading, which then has all that its end has written.
            row.refresh_from_db()
            found = events.extract(principal=principal, session_id=row.pk, after=after, limit=200)
            last += [orjson.loads(body) for body in found.bodies]
            after = found.last
            live.update(view(row, list(last)), refresh=True)
            if not follows or (not found.bodies and row.state in CLOSED):
                return
            if not found.bodies:
                _wait(row, after)


def _head(row: Session) -> int:
    return Log.objects.ledger_of(row.pk).get().head


def _wait(row: Session, after: int) -> None:
    # Rates and ages change also while nothing is told.
    hints.wait_until(lambda: _head(row) > after, timeout_seconds=LOOK_SECONDS)


def view(row: Session, last: list[dict[str, Any]]) -> Any:
    """What the terminal shows: the session, who takes part, the newest events."""
    from rich.console import Group  # noqa: PLC0415 -- slow import

    parts = list(row.components.order_by("created_at").select_related("session"))
    happened = {
        "SEQ": [str(one["seq"]) for one in last],
        "AT": [one["ts"][11:19] for one in last],
        "EVENT": [one["type"] for one in last],
        "BY": [one["actor"] for one in last],
        "SAID": [_said(one["data"]) for one in last],
    }
    tables = [session_tables.card(row), aegis_component.table(parts), happened]
    shown = [output.drawn(table) for table in tables if any(table.values())]
    return Group(*itertools.chain.from_iterable((one, "") for one in shown))


def _said(data: dict[str, Any]) -> str:
    """What an event says, so short that what happened is not cut for it."""
    room = max(LEAST, shutil.get_terminal_size().columns - BESIDE)
    text = output.dump(data) if data else ""
    return text if len(text) <= room else f"{text[: room - 1]}…"


def add_to(app: Typer[Any, Any]) -> None:
    """Make watching a verb of sessions."""
    app.command()(watch)
