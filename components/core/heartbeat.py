"""Who is alive, late or lost, and when to say that oneself is alive."""

from dataclasses import dataclass
from enum import StrEnum


class Pulse(StrEnum):
    """What silence says about the other side."""

    ALIVE = "alive"
    LATE = "late"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Beats:
    """
    The periods of a connection, all in seconds.

    Each side sends a HEARTBEAT every ``interval``. Silence of ``interval + tolerance`` is late,
    of ``lost`` is lost. A lost component has ``grace`` to be ready again, a lost data socket to
    come back. The first frame must come within ``hello``. A token's end is told ``warning``
    before it and enforced ``overtime`` after it.
    """

    interval_seconds: float = 5.0
    tolerance_seconds: float = 1.0
    lost_seconds: float = 15.0
    grace_seconds: float = 30.0
    hello_seconds: float = 10.0
    warning_seconds: float = 60.0
    overtime_seconds: float = 25.0

    @property
    def late_seconds(self) -> float:
        """The silence from which one beat counts as missed."""
        return self.interval_seconds + self.tolerance_seconds

    @property
    def silence_seconds(self) -> float:
        """The silence after which a component gives its server up and connects again."""
        return self.interval_seconds * 2.5


BEATS = Beats()


def judge(last_heard_at: float, now: float, *, beats: Beats = BEATS) -> Pulse:
    """Say what silence since ``last_heard_at`` means; both times are seconds of one clock."""
    silence = now - last_heard_at
    if silence >= beats.lost_seconds:
        return Pulse.LOST
    return Pulse.LATE if silence > beats.late_seconds else Pulse.ALIVE


class Rhythm:
    """One side's beats: the number of the next HEARTBEAT, when it is due."""

    __slots__ = (
        "interval_seconds",
        "n",
        "next_at",
    )

    def __init__(self, *, now: float, interval_seconds: float) -> None:
        self.interval_seconds = interval_seconds
        self.next_at = now + interval_seconds
        self.n = 0

    def due(self, now: float) -> int | None:
        """Count and return the beat that is due now, if one is; missed ones are not made up."""
        if now < self.next_at:
            return None
        self.next_at = now + self.interval_seconds
        self.n += 1
        return self.n
