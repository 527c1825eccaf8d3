"""Runs that agents let others begin: under their own, in the same session, within its limits."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from aegis_project.kit.errors import InvalidState, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import limits
from sessions.core.errors import BudgetExceeded
from sessions.models import Run
from sessions.selectors import agents, budgets
from sessions.services import moving, runs
from streaming.services.commands import command


@command("run.delegate", scope="messages:write")
def begin(
    *, principal: Principal, session: moving.Reference, parent: UUID, agent: str, task: str
) -> Run:
    """
    Let another agent work on a task, under the run that asks for it and within what that has left.

    :raises SessionNotFound: if the session is not there for the principal
    :raises AgentNotFound: if there is no such agent
    :raises ValidationFailed: for the agent itself, which does it without that
    :raises InvalidState: if the run is over
    :raises BudgetExceeded: if it has nothing left, or began too deep
    """
    row = moving.locked(principal, session)
    above = Run.objects.locked(parent)
    if above.session_id != row.pk or not above.is_open:
        raise InvalidState("The run that asks for it is over.")
    found = agents.find(principal, agent)
    if found.slug == above.agent_slug:
        raise ValidationFailed("An agent gives nothing to itself.", field="agent")
    run = runs.admit(
        row,
        agent=found,
        principal=principal,
        parent=above,
        parameters={"prompt": task},
        limits=_left(above),
    )
    # Whoever caused the one caused the other, too, and answers for what it takes.
    Run.objects.filter(pk=run.pk).update(user=above.user_id)
    return run


def _left(run: Run) -> dict[str, Any]:
    """What the limits of a run leave for one that it begins."""
    given = limits.effective(run.agent.limits if run.agent else {}, run.limits)
    used = budgets.of_all(run)
    left: dict[str, Any] = {}
    if "max_tokens" in given:
        left["max_tokens"] = max(given["max_tokens"] - used.tokens, 0)
    if limits.MONEY in given:
        left[limits.MONEY] = f"{max(Decimal(given[limits.MONEY]) - used.cost, Decimal(0)):f}"
    for name, value in left.items():
        if not Decimal(value):
            raise BudgetExceeded(f"The run has used its {name}.", of="run", limit=name)
    return left
