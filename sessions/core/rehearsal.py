"""What a proposed policy would have done to calls that were made: the comparison, without rows."""

from dataclasses import dataclass
from enum import StrEnum

from sessions.core.policy import Verdict
from sessions.core.tool_calls import State


class Then(StrEnum):
    """What became of a call: nobody was asked, somebody said yes or did not, a rule denied it."""

    LET_BY = "let_by"
    APPROVED = "approved"
    REFUSED = "refused"
    DENIED = "denied"
    UNDECIDED = "undecided"


class Now(StrEnum):
    """What the proposal says of it."""

    LETS_BY = "lets_by"
    ASKS = "asks"
    DENIES = "denies"


class Kind(StrEnum):
    """How the two differ."""

    SAME = "same"
    MORE = "more"
    NEEDLESS = "needless"
    FEWER = "fewer"
    MISSED = "missed"


def then(state: str, *, decision: str | None) -> Then:
    """What became of a call in this state, of which ``decision`` is the last approval's state."""
    if decision is None:
        return Then.DENIED if state == State.REJECTED else Then.LET_BY
    if decision == "approved":
        return Then.APPROVED
    return Then.UNDECIDED if decision in {"pending", "cancelled"} else Then.REFUSED


def now(verdict: Verdict) -> Now:
    """What a verdict does to a call."""
    if verdict.kind == "deny":
        return Now.DENIES
    return Now.LETS_BY if verdict.lets_by else Now.ASKS


def kind(before: Then, after: Now) -> Kind:
    """
    How they differ.

    ``missed``: lets by what was refused or denied. ``fewer``: lets by what somebody was asked about
    and did not refuse. ``needless``: denies what a person approved. ``more``: asks or denies where
    nobody was asked.
    """
    if after is Now.LETS_BY:
        if before in {Then.REFUSED, Then.DENIED}:
            return Kind.MISSED
        return Kind.SAME if before is Then.LET_BY else Kind.FEWER
    if before is Then.LET_BY:
        return Kind.MORE
    is_against = before is Then.APPROVED and after is Now.DENIES
    return Kind.NEEDLESS if is_against else Kind.SAME


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one call, what would have, and by which rule."""

    before: Then
    verdict: Verdict

    @property
    def after(self) -> Now:
        return now(self.verdict)

    @property
    def kind(self) -> Kind:
        return kind(self.before, self.after)
