"""The dashboard: what waits for people, what is broken, what runs, what just happened, how fast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from aegis_project.kit.errors import ServiceUnavailable
from aegis_project.kit.principal import Principal
from components.admin.asking import asking
from sessions.admin import dashboard_cards, dashboard_pulse, dashboard_trouble, monitor, ribbon
from sessions.admin.monitor import NOTHING, Glance
from sessions.admin.words import handle, sentence
from sessions.models import Session
from sessions.selectors import approvals, dashboard, timeline, tool_calls
from streaming import node
from streaming.hub import paces
from streaming.hub.paces import Pace
from streaming.models import Event

SECTIONS = ("waiting", "broken", "running", "happened", "pulse")


@dataclass(frozen=True, slots=True)
class Look:
    """What the processes know: which topics are odd, and how fast the sessions that run go."""

    glance: Glance = NOTHING
    paces: Mapping[str, Pace] = field(default_factory=dict)


def look(running: Sequence[Session]) -> Look:
    """Ask the hub of this process; only from its own loop."""
    hub = node.required().hub
    ids = [str(one.pk) for one in running]
    return Look(monitor.glance(()), paces.of_sessions(hub, hub.watch, ids))


def look_from_thread(running: Sequence[Session]) -> Look:
    """Ask the hub of this process from a request's thread; nothing where no server runs."""
    here = node.current()

    async def ask() -> Look:
        return look(running)

    try:
        return here.call(ask()) if here is not None else Look()
    except ServiceUnavailable:
        return Look()


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page says at its first paint."""
    principal = asking(request)
    may_look = principal.allows("sessions:read")
    found = dashboard.running(principal) if may_look else []
    shown = parts(principal, found, look_from_thread(found)) if may_look else {}
    return {
        **context,
        "title": "Dashboard",
        "is_fullwidth": "1",
        "parts": {name.removeprefix("deck-").replace("-", "_"): one for name, one in shown.items()},
        "may_look": may_look,
    }


def parts(principal: Principal, found: Sequence[Session], seen: Look) -> dict[str, str]:
    """All sections and their counts, by the name of their element; without a session, the doors."""
    now = timezone.now()
    if not found and not dashboard.has_any(principal):
        doors = _render("doors", may_create=principal.allows("sessions:write"))
        return {**_blank(), "deck-doors": doors}
    is_demo = any(map(ribbon.is_demo, found))
    troubles = dashboard_trouble.troubles(principal, seen.glance, now=now)
    cards = dashboard_cards.cards(found, seen.paces, now=now)
    events = dashboard.happened(principal) if principal.allows("events:read") else []
    rows = dashboard_pulse.rows(principal, seen.paces, now=now)
    return {
        **_blank(),
        **_waiting(principal, now),
        "deck-demo": render_to_string("admin/aegis/demo.html") if is_demo else "",
        "deck-broken": _render("broken", troubles=troubles, calm=_calm(rows), now=now),
        # What is beyond is not read, and so not counted.
        "deck-broken-count": count(len(troubles), at_most=dashboard_trouble.MOST),
        "deck-running": _render("running", cards=cards, more=len(found) - len(cards)),
        "deck-running-count": count(len(found)),
        "deck-running-bar": _bar(principal, found),
        "deck-happened": _render("happened", rows=[Happening.of(one) for one in events], now=now),
        "deck-pulse": _render("pulse", rows=rows),
        "deck-pulse-count": rows[0].words if rows else "",
    }


def _blank() -> dict[str, str]:
    """Every part, empty, so that what is not said any more goes away."""
    names = [f"deck-{name}" for name in SECTIONS]
    # How much has just happened says nothing: as much as there is room for.
    counts = [f"{name}-count" for name in names if name != "deck-happened"]
    more = ["deck-demo", "deck-doors", "deck-running-bar", *counts]
    return dict.fromkeys([*names, *more], "")


def _bar(principal: Principal, found: Sequence[Session]) -> str:
    may_hold = principal.allows("sessions:control") and bool(found)
    return _render("bar", first=found[0]) if may_hold else ""


def count(number: int, *, at_most: int | None = None) -> str:
    """A count beside a heading; nothing for none, and ``8+`` where no more were looked for."""
    if not number:
        return ""
    return f"{number}+" if at_most is not None and number >= at_most else str(number)


def _waiting(principal: Principal, now: datetime) -> dict[str, str]:
    may_decide = approvals.may_read(principal)
    decisions = approvals.soonest(principal, limit=dashboard.MOST) if may_decide else []
    may_answer = principal.allows("messages:read")
    questions = tool_calls.questions(principal, limit=dashboard.MOST) if may_answer else []
    total = (approvals.waiting(principal) if may_decide else 0) + len(questions)
    rows = dashboard_cards.decisions(decisions, now=now)
    return {
        "deck-waiting": _render("waiting", decisions=rows, questions=questions, now=now),
        "deck-waiting-count": count(total),
    }


def _calm(rows: Sequence[dashboard_pulse.Row]) -> datetime | None:
    """Since when nothing has gone wrong, as far as that is known."""
    return next((row.last for row in rows if row.name == "errors"), None)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of any session, in words."""

    event: Event
    session: Session
    mark: Any
    what: str
    where: str

    @classmethod
    def of(cls, event: Event) -> "Happening":
        """An event with its log and session read."""
        log: Any = event.log
        said = sentence(event.type, timeline.data(event))
        return cls(event, log.session, said.mark, said.what, handle(log.session))


def _render(name: str, **context: Any) -> str:
    return render_to_string(f"admin/aegis/dashboard/{name}.html", context)
