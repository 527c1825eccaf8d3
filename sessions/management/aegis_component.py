"""`aegis component`: who takes part."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from django.utils import timezone
from django_typer.management import Typer

from components import selectors
from components.api import documents
from components.core.lifecycle import CONNECTED
from components.models import Component
from components.services import asks
from sessions.management import component_lever, component_run, far_sessions, named, output, verbs
from sessions.management.far_sessions import answered, pinged
from sessions.management.output import How
from sessions.management.session_options import Reference, Timeout
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.selectors import sessions
from sessions.services import participants
from streaming import hints
from streaming.api import codecs
from streaming.selectors import pages

app: Typer[..., Any] = Typer(help="Components: who takes part in sessions.")
GONE = ("lost", "failed")
Named = Annotated[
    str, typer.Argument(help="Id, name, or the beginning of one; none if it is the only one.")
]


@app.command("list")
@verb
@elsewhere(far_sessions.components)
def several(
    *,
    session: Annotated[str, typer.Option(help="Only of this session.")] = "",
    lost: Annotated[bool, typer.Option("--lost", help="Only lost and failed ones.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List components, the newest first.

    Examples: aegis component list --session demo; aegis component list --lost
    """
    principal = verbs.acting(as_user)
    rows = selectors.readable(principal).select_related("session")
    if session:
        rows = rows.filter(session_id=sessions.resolve(principal, session).pk)
    if lost:
        rows = rows.filter(state__in=GONE)
    page = pages.page(rows, order="-created_at", cursor="", limit=limit)
    if page.next:
        output.say(f"There are more than {limit}; see --limit.")
    output.show(
        How(is_json, is_quiet),
        "component.list",
        data=lambda: [shown(one) for one in page.rows],
        ids=[str(one.pk) for one in page.rows],
        table=lambda: table(page.rows),
        has_more=bool(page.next),
    )


@app.command()
@verb
@elsewhere(far_sessions.component)
def show(
    session: Reference,
    component: Named = "",
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Show one component of a session.

    Examples: aegis component show demo prices; aegis component show demo prices --json
    """
    principal = verbs.acting(as_user)
    principal.require("components:read")
    row = sessions.resolve(principal, session)
    found = selectors.find(component, session_id=row.pk)
    if is_json or is_quiet:
        output.show_one(
            How(is_json, is_quiet),
            "component.show",
            shown(found),
            identity=str(found.pk),
            sentence="",
        )
    else:
        output.tabulate(table([found]))


@app.command()
@verb
@elsewhere(far_sessions.ping)
def ping(
    session: Reference,
    component: Named = "",
    *,
    timeout: Timeout = 30.0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Have a component answer, and say after how long; 6 when it does not, 11 when it is not connected.

    One whose client knows no such question is heard of by its next sign of life.

    Examples: aegis component ping demo prices; aegis component ping demo prices --timeout 5
    """
    principal = verbs.acting(as_user)
    principal.require("components:read")
    row = named.session(principal, session, of="component.ping")
    found, asked = selectors.find(component, session_id=row.pk), timezone.now()
    how, ping = How(is_json, is_quiet), None
    if found.state in CONNECTED:
        ping = participants.ping(principal=principal, session=row, component=str(found.pk)).ask

    def is_decided() -> bool:
        if ping is not None:
            ping.refresh_from_db()
            if ping.answered_at is not None:
                return True
        found.refresh_from_db()
        heard = found.last_heartbeat_at
        return found.state not in CONNECTED or (heard is not None and heard > asked)

    is_heard = hints.wait_until(is_decided, timeout_seconds=timeout)
    trip = asks.round_trip_ms(ping) if ping is not None else None
    if trip is not None:
        answered(how, shown(found), milliseconds=trip)
        return
    seconds = (timezone.now() - asked).total_seconds()
    pinged(how, shown(found), is_heard=is_heard, seconds=seconds)


def shown(row: Component) -> dict[str, Any]:
    """The canonical document of a component."""
    return codecs.show(documents.component(row))


def table(rows: Sequence[Component]) -> dict[str, list[str]]:
    """The columns of a list of components."""
    return {
        "COMPONENT": [row.name for row in rows],
        "STATE": [output.state(row.state) + ("  late" if row.is_late else "") for row in rows],
        "ROLE": [row.role for row in rows],
        "REQUIRED": ["yes" if row.required else "no" for row in rows],
        "TOPICS": [", ".join(row.topics) for row in rows],
        "HEARD": [output.age(row.last_heartbeat_at) for row in rows],
        "SESSION": [row.session.key for row in rows],
        "ERROR": [row.error for row in rows],
    }


component_lever.add_to(app)
component_run.add_to(app)
