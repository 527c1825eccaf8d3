"""Many decisions at once, each of which comes to its own end."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core.approvals import alike
from sessions.core.freshness import Known
from sessions.core.tool_calls import Risk
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.services import approvals, deciding
from sessions.services.approvals import Decided
from sessions.services.deciding import Case

MOST = 100
Look = Callable[[Approval], Known | None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be decided on one approval."""

    approval: UUID | str
    approved: bool
    reason: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order: a decision, or why there is none."""

    approval: UUID | str
    decided: Decided | None = None
    error: AegisError | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a batch would do: to which approvals, and to which runs.

    ``common`` is what all have in common, ``resumed`` the runs that would wait for no decision any
    more and ``held`` those that still would; ``error`` of an outcome says why one would be refused.
    """

    rows: dict[str, Approval]
    outcomes: list[Outcome]
    common: list[str]
    resumed: set[UUID]
    held: set[UUID]


def decide(*, principal: Principal, orders: Sequence[Order], look: Look) -> list[Outcome]:
    """
    Decide on each, in the order given; ``look`` says what is known now of what one rests on.

    What is of high risk is approved alone, by somebody who looks at nothing else.

    :raises ValidationFailed: for more than 100, one named twice, or some that have neither tool
        nor agent nor session in common
    """
    _check(orders)
    _common(reading.several(principal, [order.approval for order in orders]))
    return [_decide(principal, order, look) for order in orders]


def plan(*, principal: Principal, orders: Sequence[Order], look: Look) -> Plan:
    """
    What :func:`decide` would do, as far as that can be seen before; nothing is done.

    :raises PermissionDenied: without the scope approvals:decide
    :raises ValidationFailed: as :func:`decide`
    """
    principal.require("approvals:decide")
    _check(orders)
    rows = reading.several(principal, [order.approval for order in orders])
    common = _common(rows)
    known = {str(row.pk): row for row in rows}
    outcomes = [_would(principal, order, known, look) for order in orders]
    moved = [known[str(one.approval)] for one in outcomes if one.error is None]
    runs = {row.run_id for row in moved}
    held = reading.waited_for(runs, apart_from=[row.pk for row in moved])
    return Plan(known, outcomes, common, runs - held, held)


def _check(orders: Sequence[Order]) -> None:
    names = [str(order.approval) for order in orders]
    if len(orders) > MOST or len(set(names)) < len(names):
        raise ValidationFailed(f"A batch has at most {MOST} decisions, on each approval one.")


def _common(rows: Iterable[Approval]) -> list[str]:
    facts = [
        {"tool": row.tool_call.tool, "agent": row.run.agent_slug, "session": str(row.session_id)}
        for row in rows
    ]
    common = alike(facts)
    if not common:
        raise ValidationFailed("A batch is of one tool, one agent or one session.")
    return common


def _decide(principal: Principal, order: Order, look: Look) -> Outcome:
    try:
        found = reading.find(principal, order.approval)
        _check_risk(found, order)
        decided = approvals.decide(
            principal=principal,
            approval=found,
            approved=order.approved,
            reason=order.reason,
            version=order.version,
            evidence=look(found) if order.approved else None,
        )
    except AegisError as error:
        return Outcome(order.approval, error=error)
    return Outcome(order.approval, decided=decided)


def _would(principal: Principal, order: Order, known: dict[str, Approval], look: Look) -> Outcome:
    try:
        found = known.get(str(order.approval)) or reading.find(principal, order.approval)
        _check_risk(found, order)
        case = Case(found.session, found.run, found.tool_call, found)
        said = deciding.Order(
            approved=order.approved,
            reason=order.reason,
            version=order.version,
            evidence=look(found) if order.approved else None,
        )
        deciding.check(case, said, principal, now=timezone.now())
    except AegisError as error:
        return Outcome(order.approval, error=error)
    return Outcome(order.approval)


def _check_risk(found: Approval, order: Order) -> None:
    if order.approved and found.tool_call.risk == Risk.HIGH:
        raise ValidationFailed("What is of high risk is approved alone.", field="approval")
