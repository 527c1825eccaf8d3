"""Many decisions at once, each of which comes to its own end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core.freshness import Known
from sessions.core.tool_calls import Risk
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.services import approvals
from sessions.services.approvals import Decided

MOST = 100


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


def decide(
    *, principal: Principal, orders: Sequence[Order], look: Callable[[Approval], Known | None]
) -> list[Outcome]:
    """
    Decide on each, in the order given; ``look`` says what is known now of what one rests on.

    What is of high risk is approved alone, by somebody who looks at nothing else.

    :raises ValidationFailed: for more than 100, or one named twice
    """
    names = [str(order.approval) for order in orders]
    if len(orders) > MOST or len(set(names)) < len(names):
        raise ValidationFailed(f"A batch has at most {MOST} decisions, on each approval one.")
    return [_decide(principal, order, look) for order in orders]


def _decide(
    principal: Principal, order: Order, look: Callable[[Approval], Known | None]
) -> Outcome:
    try:
        found = reading.find(principal, order.approval)
        if order.approved and found.tool_call.risk == Risk.HIGH:
            raise ValidationFailed("What is of high risk is approved alone.", field="approval")
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
