"""How the time of a historical session passes."""


class Pace:
    """
    The clock of a replay between two records, in unix milliseconds.

    It is told moments of a clock that only goes forward (seconds), and goes ``speed`` times as
    fast. A ``speed`` of 0 has no time of its own: the clock is where its last record is.
    """

    def __init__(self, *, speed: float, clock: int | None) -> None:
        self.speed = speed
        self._clock = None if clock is None else float(clock)
        self._looked_at: float | None = None

    def tick(self, now: float, *, upcoming: int) -> float:
        """Where the clock is now; where it never was, it begins at the record to come."""
        before, self._looked_at = self._looked_at, now
        if self._clock is None:
            self._clock = float(upcoming)
        elif before is not None:
            self._clock += (now - before) * 1000 * self.speed
        return self._clock

    def stand(self) -> None:
        """Let the time that passes until the next tick not be time of the session."""
        self._looked_at = None

    def reach(self, ts: int | None) -> int | None:
        """The time to save and to show, at least that of the last record; None if there is none."""
        if self._clock is None or (ts is not None and ts > self._clock):
            self._clock = self._clock if ts is None else float(ts)
        return None if self._clock is None else int(self._clock)

    def seconds_until(self, ts: int) -> float:
        """How long it takes the clock to come to a time."""
        if self._clock is None or not self.speed:
            return 0.0
        return max(0.0, (ts - self._clock) / 1000 / self.speed)


class Meter:
    """
    How many times real time a clock went lately.

    It is told where the clock stands (unix milliseconds) at moments of one that only goes forward
    (seconds); time in which it stood counts.
    """

    LEAST_SECONDS = 1.0

    def __init__(self) -> None:
        self._seen: tuple[float, int] | None = None
        self._rate: float | None = None

    def read(self, now: float, clock: int | None, *, is_last: bool = False) -> float | None:
        """
        Over the last whole second or more, else over what there was until the ``is_last`` reading.

        None as long as nothing can be said.
        """
        if clock is None:
            return None
        since, before = self._seen or (now, clock)
        self._seen = since, before
        passed = now - since
        if passed >= self.LEAST_SECONDS or (is_last and self._rate is None and passed > 0):
            self._rate = (clock - before) / 1000 / passed
            self._seen = now, clock
        return self._rate


def said(speed: float) -> str:
    """How many times real time, for people: two figures at least, and no more than count."""
    return f"{speed:.0f}×" if speed >= 10 else f"{speed:.2g}×"
