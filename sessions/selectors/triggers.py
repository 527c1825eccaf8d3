"""Reading triggers: whose they are, and which sessions they wake somebody in."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet

from aegis_project.kit.errors import NotFound
from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from sessions.core import cron, keys
from sessions.core import triggers as rules
from sessions.core.lifecycle import State
from sessions.models import Agent, Session, Trigger
from streaming.core import topics

SHOWN, MOMENTS = 20, 3


@dataclass(frozen=True, slots=True)
class Watched:
    """A trigger that looks at topics of one session."""

    trigger_id: UUID
    pattern: str
    condition: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """
    What a record would do: wake the agent or not, and why not; what it would be told, and where.

    ``next`` are the moments at which a schedule comes next.
    """

    wakes: bool
    why: str
    prompt: str
    sessions: list[str]
    next: list[datetime]


def trial(trigger: Trigger, *, topic: str, data: Any, now: datetime) -> Trial:
    """What a record of a topic would do, or the next moments of a schedule; nothing is begun."""
    where = list(woken(trigger).values_list("key", flat=True)[:SHOWN])
    if trigger.schedule:
        line, moments = cron.read(trigger.schedule), [now]
        while len(moments) <= MOMENTS and (found := line.next_after(moments[-1])) is not None:
            moments.append(found)
        said = moments[1].isoformat() if len(moments) > 1 else ""
        told = rules.prompt(trigger.prompt, topic="schedule", data=said)
        return Trial(trigger.is_active, _off(trigger), told, where, moments[1:])
    why = _off(trigger) or _unlike(trigger, topic, data)
    told = rules.prompt(trigger.prompt, topic=topic, data=orjson.dumps(data).decode())
    return Trial(not why, why, told, where, [])


def _off(trigger: Trigger) -> str:
    return "" if trigger.is_active else "It is off."


def _unlike(trigger: Trigger, topic: str, data: Any) -> str:
    if not topics.matches(trigger.pattern, topic):
        return "The topic is not one of the pattern."
    if not rules.holds(rules.read(trigger.condition), data):
        return "The condition does not hold."
    return ""


def readable(principal: Principal) -> QuerySet[Trigger]:
    """
    The triggers of agents that the principal knows of, in sessions that it sees.

    :raises PermissionDenied: without the scope agents:read
    """
    principal.require("agents:read")
    rows = Trigger.objects.filter(agent__in=Agent.objects.visible(principal.teams).values("pk"))
    if principal.teams is not None:
        rows = rows.filter(Q(session=None) | Q(session__team__in=principal.teams))
    return rows.select_related("agent", "session")


def find(principal: Principal, reference: UUID | str) -> Trigger:
    """
    One trigger.

    :raises NotFound: if it is not there for the principal
    """
    uuid = keys.as_uuid(str(reference))
    row = readable(principal).filter(pk=uuid).first() if uuid else None
    if row is None:
        raise NotFound("There is no such trigger.", trigger=str(reference)[:64])
    return row


def woken(trigger: Trigger) -> QuerySet[Session]:
    """The running sessions in which a trigger wakes its agent."""
    rows = Session.objects.present().filter(state=State.RUNNING.value)
    if trigger.session_id is not None:
        return rows.filter(pk=trigger.session_id)
    rows = rows.filter(agent=trigger.agent.slug)
    return rows if trigger.agent.team_id is None else rows.filter(team=trigger.agent.team_id)


def watched() -> dict[str, list[Watched]]:
    """Which topics wake somebody, by the id of their running session."""
    found: dict[str, list[Watched]] = defaultdict(list)
    for trigger in _watching():
        one = Watched(trigger.pk, trigger.pattern, trigger.condition)
        for session_id in woken(trigger).values_list("pk", flat=True):
            found[str(session_id)].append(one)
    return dict(found)


# Asked each second.
@Prepared
def _watching() -> QuerySet[Trigger]:
    rows = Trigger.objects.filter(is_active=True, agent__is_active=True).exclude(pattern="")
    return rows.select_related("agent").order_by("pk")
