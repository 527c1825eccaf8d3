"""The machine of approvals: the one decision on a tool call."""

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
