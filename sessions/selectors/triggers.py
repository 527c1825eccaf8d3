"""Reading triggers: whose they are, and which sessions they wake somebody in."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from aegis_project.kit.errors import NotFound
from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from sessions.core import keys
from sessions.core.lifecycle import State
from sessions.models import Agent, Session, Trigger


@dataclass(frozen=True, slots=True)
class Watched:
    """A trigger that looks at topics of one session."""

    trigger_id: UUID
    pattern: str
    condition: dict[str, Any]


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
