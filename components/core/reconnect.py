"""Whether and when a component comes back after its connection ended."""

from dataclasses import dataclass
from enum import StrEnum

from streaming.core.errors import CloseCode


class Verdict(StrEnum):
    """What the end of a connection tells a component to do."""

    RETURN = "return"
    RAISE = "raise"
    PAUSE = "pause"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Backoff:
    """
    How long a component waits before it connects again.

    The n-th attempt in a row (from 1) waits between half of and the whole of
    ``base_seconds`` x 2^n, never more than ``most_seconds``.
    """

    base_seconds: float = 1.0
    most_seconds: float = 30.0

    def seconds(self, attempt: int, chance: float) -> float:
        """Tell the wait before this attempt; ``chance`` from 0 to 1 spreads a crowd."""
        longest = min(self.most_seconds, self.base_seconds * 2.0 ** min(attempt, 32))
        return longest * (0.5 + 0.5 * chance)


BACKOFF = Backoff()


def judge(code: int | None, *, is_staying: bool) -> Verdict:
    """
    Read a close code; None stands for a connection that broke or was not made.

    The range decides (spec 3.2): 40xx do not come back, 41xx back off, 42xx come back now. 1000
    says that the session stopped, 4005 that it is over; only the first has a later for a
    component that stays.
    """
    if code == CloseCode.SESSION_OVER:
        return Verdict.RETURN
    if code == CloseCode.NORMAL:
        return Verdict.NOW if is_staying else Verdict.RETURN
    if code is not None and 4000 <= code < 4100:
        return Verdict.RAISE
    if code is not None and 4200 <= code < 4300:
        return Verdict.NOW
    return Verdict.PAUSE
