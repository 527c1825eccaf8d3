"""What may be said to the interface about approvals."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from sessions.core.approvals import State
from sessions.core.lifecycle import Environment
from sessions.core.policy import Remember
from sessions.core.tool_calls import Risk
from sessions.services.batches import MOST, Order
from streaming.api import codecs
from streaming.api.documents import PageQuery

Reason = Annotated[str, Meta(max_length=2000)]
Word = Annotated[str, Meta(max_length=200)]


class DecideInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    A decision. `reason` (or `feedback`, as seed 004 says) goes to the agent.

    `edited_arguments` replace those asked for; `remember` makes a rule of the decision. Who
    decides is whoever asks, and stands in no body.
    """

    approved: bool
    reason: Reason = ""
    feedback: Reason = ""
    edited_arguments: dict[str, Any] | None = None
    remember: Remember | None = None

    def __post_init__(self) -> None:
        codecs.check_kept(self.edited_arguments, msgspec.to_builtins(self.remember))

    @property
    def why(self) -> str:
        """The reason, by whichever name it came."""
        return self.reason or self.feedback


class ClaimInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    Whether you no longer look at it, or to whom you leave it.

    `to` is a user's name, or a role: `role:approver`.
    """

    release: bool = False
    to: Word = ""

    def __post_init__(self) -> None:
        if self.release and self.to:
            raise ValueError("What is released is with nobody")


class CancelQuery(Struct, kw_only=True):
    """Why nobody has to decide any more."""

    reason: Annotated[Reason, Meta(description="Why; the ledger and the audit keep it.")] = ""


class OneDecision(Struct, kw_only=True, forbid_unknown_fields=True):
    """A decision of a batch; `version` is what you last saw of it."""

    approval: UUID
    approved: bool
    reason: Reason = ""
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None

    def order(self) -> Order:
        """What the service understands."""
        return Order(self.approval, self.approved, self.reason, self.version)


class BatchInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    Decisions on calls of one tool, one agent or one session, each of which comes to its own end.

    With `dry_run` nothing is decided: the answer says what would be.
    """

    decisions: Annotated[list[OneDecision], Meta(min_length=1, max_length=MOST)]
    dry_run: bool = False


class ApprovalQuery(PageQuery, kw_only=True):
    """Which approvals, in which order; those that wait unless another state is asked for."""

    state: Literal["pending", "approved", "rejected", "expired", "cancelled", "all"] = "pending"
    session: Annotated[str, Meta(max_length=128, description="A session's id or key.")] = ""
    agent: Word = ""
    tool: Word = ""
    environment: Environment | UnsetType = UNSET
    risk: Risk | UnsetType = UNSET
    mine: Annotated[bool, Meta(description="Only those that you claimed, or were left.")] = False
    expiring: Annotated[
        float, Meta(ge=0, le=86_400, description="Only those with so many seconds left.")
    ] = 0
    ordering: Literal["-requested_at", "requested_at", "expires_at", "-expires_at"] = "expires_at"

    def words(self) -> dict[str, str]:
        """The filters that compare a field with a word."""
        found = {
            "state": "" if self.state == "all" else State(self.state).value,
            "run__agent_slug": self.agent,
            "tool_call__tool": self.tool,
            "session__environment": self.environment.value if self.environment else "",
            "tool_call__risk": self.risk.value if self.risk else "",
        }
        return {name: word for name, word in found.items() if word}
