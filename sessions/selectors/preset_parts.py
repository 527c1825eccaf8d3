"""What a template names and is not there."""

from dataclasses import dataclass
from typing import Literal

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from components.models import Program
from sessions.core.recipes import Recipe
from sessions.selectors import agents, policies


@dataclass(frozen=True, slots=True)
class Missing:
    """What a recipe counts on in vain, and by which name."""

    kind: Literal["agent", "policy", "program"]
    name: str


def missing(principal: Principal, recipe: Recipe) -> list[Missing]:
    """
    The agent, the policy and the programs of a recipe that are not there for the principal.

    Of policies only who may read them is told.
    """
    found = list[Missing]()
    if recipe.agent and not _is_there(principal, recipe.agent):
        found.append(Missing("agent", recipe.agent))
    policy = str(recipe.config.get("policy") or "")
    if policy and principal.allows("policies:read") and not _has_policy(principal, policy):
        found.append(Missing("policy", policy))
    return found + [Missing("program", name) for name in _programs(principal, recipe)]


def _is_there(principal: Principal, slug: str) -> bool:
    try:
        agents.find(principal, slug)
    except AegisError:
        return False
    return True


def _has_policy(principal: Principal, slug: str) -> bool:
    try:
        policies.find(principal, slug)
    except AegisError:
        return False
    return True


def _programs(principal: Principal, recipe: Recipe) -> list[str]:
    named = {one.program for one in recipe.components if one.program}
    if not named:
        return []
    known = Program.objects.of_teams(principal.teams).filter(name__in=named)
    return sorted(named - set(known.values_list("name", flat=True)))
