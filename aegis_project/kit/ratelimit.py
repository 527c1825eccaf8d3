"""How often something may happen, as arithmetic."""

from collections import deque
from typing import NamedTuple


class Bucket:
    """
    A token bucket for one caller: so many per second in the long run, and a burst of them.

    All moments are seconds of one clock. A rate of 0 is no limit.
    """

    __slots__ = ("_burst", "_each", "_until")

    def __init__(self, *, per_second: float, burst_seconds: float) -> None:
        self._each = 1 / per_second if per_second else 0.0
        self._burst = burst_seconds
        # How far what was taken reaches, had it been taken at the rate.
        self._until = 0.0

    def take(self, now: float) -> bool:
        """Count one; whether it was within the limit."""
        until = self._until
        self._until = until = max(now, until) + self._each
        return until - now <= self._burst


class Rate(NamedTuple):
    """So many in any so many seconds; an ``amount`` of 0 is no limit."""

    amount: int
    seconds: int


class Windows:
    """
    Sliding windows for many callers: when each of what was taken was taken, as long as it counts.

    All moments are seconds of one clock. It is for one thread at a time.
    """

    __slots__ = ("_swept_at", "_taken")

    # Whom nobody has heard of for a while need not be known.
    SWEEP_SECONDS = 60.0

    def __init__(self) -> None:
        self._taken: dict[tuple[str, ...], tuple[float, deque[float]]] = {}
        self._swept_at = 0.0

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, who: tuple[str, ...], rate: Rate, now: float) -> float | None:
        """Count one and say nothing; if there is no room, the seconds until there is."""
        self._sweep(now)
        _, taken = self._taken.get(who, (0.0, deque[float]()))
        self._taken[who] = (now + rate.seconds, taken)
        while taken and taken[0] <= now - rate.seconds:
            taken.popleft()
        if len(taken) >= rate.amount:
            return taken[0] + rate.seconds - now
        taken.append(now)
        return None

    def _sweep(self, now: float) -> None:
        if now - self._swept_at < self.SWEEP_SECONDS:
            return
        self._swept_at = now
        self._taken = {who: one for who, one in self._taken.items() if one[0] > now}
