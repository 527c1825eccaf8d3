"""How often something may happen, as arithmetic."""


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
