"""How fast a topic speaks, how long its gaps normally are, and when its silence is odd."""

from array import array
from collections.abc import Sequence

SAMPLES = 60
# The rate of now is the mean of so many samples.
RECENT = 3
# A topic must have spoken so often before anything is normal for it: a burst of a few is none.
KNOWN_AFTER = 12
SHORTEST_SILENCE_SECONDS = 3.0
TIMES_NORMAL = 5.0
TIMES_LONGEST = 1.5
WEIGHT = 0.3
FADING = 0.9


class Pulse:
    """
    One topic, looked at again and again.

    ``rates`` (records per second), ``sizes`` (bytes per second) and ``lags`` (records) are those
    of the last 60 looks, the oldest first. ``gap`` is the normal time between two records in seconds, ``None`` until it is known. Moments
    are seconds of a clock that only goes forward. A new epoch, or a head that went back, begins
    anew and keeps what is normal.
    """

    __slots__ = (
        "_at",
        "_count",
        "_epoch",
        "_head",
        "_longest",
        "_moved_at",
        "_size",
        "_step",
        "gap",
        "lags",
        "rates",
        "sizes",
    )

    def __init__(self) -> None:
        self.rates, self.sizes, self.lags = array("f"), array("f"), array("f")
        self.gap: float | None = None
        self._epoch = ""
        self._at = self._moved_at = self._longest = self._step = 0.0
        self._head = self._size = self._count = 0

    def note(self, *, at: float, epoch: str, head: int, size: int, lag: int) -> None:
        """Take one look: where the topic stands, its bytes so far, and the largest lag."""
        is_new = epoch != self._epoch or head < self._head
        seconds = at - self._at
        if is_new:
            self._moved_at = at
        elif seconds > 0:
            self._append((head - self._head) / seconds, max(size - self._size, 0) / seconds, lag)
            self._learn(head - self._head, at)
            self._step = seconds
        self._epoch, self._at, self._head, self._size = epoch, at, head, size

    def _append(self, rate: float, size: float, lag: int) -> None:
        for samples, value in ((self.rates, rate), (self.sizes, size), (self.lags, lag)):
            samples.append(value)
            if len(samples) > SAMPLES:
                del samples[0]

    def _learn(self, count: int, at: float) -> None:
        if not count:
            return
        waited = at - self._moved_at
        gap = waited / count
        self.gap = gap if self.gap is None else self.gap + (gap - self.gap) * WEIGHT
        self._longest = max(waited, self._longest * FADING)
        self._moved_at = at
        self._count += count

    @property
    def rate(self) -> float | None:
        """Records per second now; None until there were two looks."""
        return _mean(self.rates)

    @property
    def size(self) -> float | None:
        """Bytes per second now; None until there were two looks."""
        return _mean(self.sizes)

    @property
    def is_known(self) -> bool:
        """Whether the topic has spoken often enough to know what is normal for it."""
        return self.gap is not None and self._count >= KNOWN_AFTER

    def quiet(self, at: float) -> float:
        """Seconds since the topic was last seen to move."""
        return max(at - self._moved_at, 0)

    def is_silent(self, at: float) -> bool:
        """Whether the topic has been quiet for much longer than is normal for it."""
        if self.gap is None or not self.is_known:
            return False
        usual = max(self.gap * TIMES_NORMAL, self._longest * TIMES_LONGEST)
        return self.quiet(at) > max(usual, SHORTEST_SILENCE_SECONDS)

    def age(self, lag: int) -> float | None:
        """How long ago the record was new that is ``lag`` records before the head; see below."""
        return age(self.rates, self._step, lag)


def age(rates: Sequence[float], step: float, lag: int) -> float | None:
    """
    How long ago the record was new that is ``lag`` records before the head, in seconds.

    ``rates`` are records per second, the oldest first, each of ``step`` seconds. 0 without a
    lag; None when that was before the first of them.
    """
    left, seconds = float(lag), 0.0
    for rate in reversed(rates):
        if left <= 0:
            break
        count = rate * step
        seconds += step * min(left / count, 1) if count else step
        left -= count
    # What is counted in single precision may lack a fraction of the last record.
    return seconds if left < 1 else None


def _mean(samples: "array[float]") -> float | None:
    recent = samples[-RECENT:]
    return sum(recent) / len(recent) if recent else None
