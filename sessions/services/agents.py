"""Changing the catalogue of agents."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from aegis_project.kit.errors import (
    InvalidState,
    PermissionDenied,
    PreconditionFailed,
    ValidationFailed,
)
from aegis_project.kit.principal import Principal
from sessions.core import catalogue, limits, references
from sessions.core.catalogue import AgentDraft
from sessions.core.errors import AgentAlreadyExists
from sessions.models import Agent, Provider
from sessions.selectors import agents, policies
from streaming.services.commands import Trace, command

SCOPE = "agents:write"
FIELDS = tuple(AgentDraft.__dataclass_fields__)


class Entered(NamedTuple):
    """An agent as it is now; the audit says which fields were given."""

    agent: Agent
    fields: tuple[str, ...]

    def audit(self) -> Trace:
        detail = {"slug": self.agent.slug, "model": self.agent.model, "fields": list(self.fields)}
        return Trace(session_id=None, target=self.agent.slug, detail=detail)


@command("agent.create", scope=SCOPE)
def create(*, principal: Principal, draft: AgentDraft, team: Group | None = None) -> Entered:
    """
    Enter an agent for one team, or for every team.

    :raises ValidationFailed: for a field that cannot be
    :raises PolicyNotFound: if its policy is not there for the principal
    :raises PermissionDenied: for a team that is not the principal's
    :raises AgentAlreadyExists: if there is one of this slug
    """
    values = asdict(draft)
    row = Agent()
    _set(row, values, principal)
    _check_team(principal, team)
    row.team = team
    return Entered(_save(row), tuple(values))


@command("agent.update", scope=SCOPE)
def update(
    *,
    principal: Principal,
    agent: str,
    changes: Mapping[str, Any],
    version: int | None = None,
) -> Entered:
    """
    Change fields of an agent and its team; ``version`` is what the caller last saw.

    Runs that work go on with what they began with until their next request.

    :raises AgentNotFound: if it is not there for the principal
    :raises PermissionDenied: if it belongs to another team, or to every team
    :raises PreconditionFailed: if it has moved on since
    :raises ValidationFailed: for a field that is none, or a value that cannot be
    """
    row = _locked(principal, agent)
    if version is not None and version != row.version:
        raise PreconditionFailed(version=row.version)
    values = dict(changes)
    if "team" in values:
        row.team = values.pop("team")
        _check_team(principal, row.team)
    _set(row, values, principal)
    row.version += 1
    return Entered(_save(row), tuple(changes))


@command("agent.remove", scope=SCOPE)
def remove(*, principal: Principal, agent: str) -> Entered:
    """
    Take an agent out of the catalogue; what its runs said stays.

    :raises AgentNotFound: if it is not there for the principal
    :raises PermissionDenied: if it belongs to another team, or to every team
    :raises InvalidState: for the assistant, which there always is
    """
    row = _locked(principal, agent)
    if row.slug == agents.ASSISTANT:
        raise InvalidState("There is always an assistant; take it out of use instead.")
    removed = Entered(Agent.objects.get(pk=row.pk), ())
    row.delete()
    return removed


def _locked(principal: Principal, slug: str) -> Agent:
    found = agents.read(principal, slug)
    if principal.teams is not None and found.team_id not in principal.teams:
        raise PermissionDenied("This agent is not of your teams.", agent=slug)
    return Agent.objects.select_for_update(of=("self",), no_key=True).get(pk=found.pk)


def _check_team(principal: Principal, team: Group | None) -> None:
    if principal.teams is not None and (team is None or team.pk not in principal.teams):
        raise PermissionDenied("An agent of yours is of one of your teams.")


def _set(row: Agent, values: Mapping[str, Any], principal: Principal) -> None:
    unknown = sorted(values.keys() - set(FIELDS))
    if unknown:
        raise ValidationFailed("An agent has no such fields.", fields=unknown)
    catalogue.check_agent(values)
    _check_provider(values.get("model", references.DEFAULT))
    for name, value in values.items():
        if name == "policy":
            row.policy = policies.find(principal, value) if value else None
        elif name == "limits":
            row.limits = limits.check(value)
        else:
            setattr(row, name, list(value) if isinstance(value, tuple) else value)


def _check_provider(model: str) -> None:
    if model == references.DEFAULT:
        return
    name = references.read(model).provider
    if name not in references.RESERVED and not Provider.objects.filter(slug=name).exists():
        raise ValidationFailed(f"There is no provider {name}.", field="model")


def _save(row: Agent) -> Agent:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise AgentAlreadyExists(f"An agent {row.slug} exists.", slug=row.slug) from None
    return row
