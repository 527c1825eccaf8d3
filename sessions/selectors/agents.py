"""Reading the catalogue of agents."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from aegis_project import database
from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from sessions.core import references
from sessions.core.errors import AgentNotFound
from sessions.core.tools import QUESTION
from sessions.models import Agent
from sessions.models.agent import Visibility

ASSISTANT, COMPATIBILITY = "assistant", "compatibility"
# No group has this id.
NO_TEAM = (0,)


def find(principal: Principal, slug: str) -> Agent:
    """
    The agent of this name, as far as the principal may know of it.

    :raises AgentNotFound: if none answers, also when it is out of sight or not in use
    """
    found = _one(principal, slug)
    if found is None and slug in _built_in() and not Agent.objects.filter(slug=slug).exists():
        return _made(slug)
    if found is None:
        raise AgentNotFound(agent=slug)
    return found


def visible(principal: Principal) -> QuerySet[Agent]:
    """The agents that the principal may know of and that are in use; there is the assistant."""
    assistant()
    return _visible(principal)


def readable(principal: Principal) -> QuerySet[Agent]:
    """
    The agents that a reader of the catalogue sees: also those of its teams that are not in use.

    :raises PermissionDenied: without the scope agents:read
    """
    principal.require("agents:read")
    seen = Q(pk__in=visible(principal).values("pk"))
    own = Q(pk__in=Agent.objects.of_teams(principal.teams).values("pk"))
    return Agent.objects.filter(seen | own).select_related("team", "policy")


def read(principal: Principal, slug: str) -> Agent:
    """
    One agent of the catalogue, in use or not.

    :raises PermissionDenied: without the scope agents:read
    :raises AgentNotFound: if none answers
    """
    found = readable(principal).filter(slug=slug).first() if "\x00" not in slug else None
    if found is None:
        raise AgentNotFound(agent=slug)
    return found


def assistant() -> Agent:
    """The agent that there always is; it comes back when it was removed."""
    return Agent.objects.filter(slug=ASSISTANT).first() or _made(ASSISTANT)


def _built_in() -> dict[str, dict[str, Any]]:
    """The agents that come into being when they are asked for."""
    kit = {COMPATIBILITY: KIT} if settings.ENVIRONMENT.a2a_compatibility else {}
    return {ASSISTANT: ASSISTANT_FIELDS, **kit}


def _made(slug: str) -> Agent:
    with database.atomic():
        return Agent.objects.get_or_create(slug=slug, defaults=_built_in()[slug])[0]


ASSISTANT_FIELDS: dict[str, Any] = {
    "name": "Assistant",
    "description": "Answers questions and remembers what was said in its session.",
    "model": references.DEFAULT,
    "instructions": "You are a helpful assistant. Answer briefly and plainly.",
    "input_modes": ["text/plain"],
    "output_modes": ["text/plain"],
    "skills": [
        {
            "id": "conversation",
            "name": "Conversation",
            "description": "Talks about anything, in the context of the session.",
            "tags": ["chat"],
        }
    ],
}
KIT: dict[str, Any] = {
    "name": "Compatibility",
    "description": "Does what the beginning of a message's id says, for A2A compatibility kits.",
    "model": "scripted:compatibility",
    "output_modes": ["text/plain", "application/json"],
    "tools": [QUESTION],
    "settings": {"messages": ["tck-message-response"]},
}


def _one(principal: Principal, slug: str) -> Agent | None:
    if "\x00" in slug:
        return None
    teams = None if principal.teams is None else tuple(sorted(principal.teams)) or NO_TEAM
    is_nobody = principal.kind == "anonymous"
    return next(iter(_named(teams=teams, is_nobody=is_nobody, slug=slug)), None)


@Prepared
def _named(*, teams: tuple[int, ...] | None, is_nobody: bool, slug: str) -> QuerySet[Agent]:
    return _in_sight(teams, is_nobody=is_nobody).filter(slug=slug)


def _visible(principal: Principal) -> QuerySet[Agent]:
    return _in_sight(principal.teams, is_nobody=principal.kind == "anonymous")


def _in_sight(teams: Collection[int] | None, *, is_nobody: bool) -> QuerySet[Agent]:
    rows = Agent.objects.visible(teams).select_related("team", "policy")
    if is_nobody:
        rows = rows.filter(visibility=Visibility.PUBLIC.value)
    return rows
