"""Trying the model of an agent: who may, and what the audit has of it."""

from typing import Any

from aegis_project import database, rates
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.rates import Counted
from sessions.models import Agent
from sessions.selectors import agents
from streaming import metrics
from streaming.services import audit, commands

COMMAND = "agent.try"
SCOPE = "runs:write"


def admit(*, principal: Principal, agent: str) -> Agent:
    """
    The agent whose model is asked now, outside of any transaction; who asks says how that ended.

    :raises PermissionDenied: without the scopes agents:read and runs:write
    :raises AgentNotFound: if it is not there for the principal
    :raises RateLimited: if who asks has given as many commands as it may
    """
    try:
        found = agents.read(principal, agent)
        rates.admit(Counted.COMMAND, principal)
        principal.require(SCOPE)
    except AegisError as error:
        if rates.is_news(error, principal):
            failed(principal=principal, agent=agent, error=error)
        raise
    return found


def answered(*, principal: Principal, agent: str, detail: dict[str, Any]) -> None:
    """Leave the audit entry of a model that was asked: what it took, or that nobody waited."""
    metrics.commands.labels("ok").inc()
    with database.atomic():
        audit.accepted(
            command=COMMAND, principal=principal, session_id=None, target=agent, detail=detail
        )


def failed(*, principal: Principal, agent: str, error: AegisError) -> None:
    """Leave the audit entry of who was refused, or whose question the model did not answer."""
    metrics.commands.labels("refused").inc()
    commands.note(error, command=COMMAND, principal=principal, target=agent[:200])
