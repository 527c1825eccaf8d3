"""The machine of approvals: the one decision on a tool call."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from aegis_project.kit.states import Table

TIMEOUT_SECONDS = 300
"""How long a decision may take unless the rule says otherwise."""


class State(StrEnum):
    """Where an approval stands; all but the first are a decision."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


TRANSITIONS: Table[State] = {
    State.PENDING: {
        "approve": State.APPROVED,
        "reject": State.REJECTED,
        "expire": State.EXPIRED,
        "cancel": State.CANCELLED,
    },
    State.APPROVED: {},
    State.REJECTED: {},
    State.EXPIRED: {},
    State.CANCELLED: {},
}


ALIKE = ("tool", "agent", "session")
"""What decisions that are made in one go have in common, at least one of it."""


def alike(facts: Sequence[Mapping[str, str]]) -> list[str]:
    """Which of :data:`ALIKE` is the same of all; each of ``facts`` says it of one approval."""
    return [name for name in ALIKE if len({one[name] for one in facts}) <= 1]
