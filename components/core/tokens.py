"""When a session token ends, is warned of and is enforced."""

from dataclasses import dataclass

from components.core.heartbeat import Beats


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a token ends: for the client in unix milliseconds, for us in seconds from now."""

    at_ms: int
    in_seconds: float


class TokenClock:
    """The time a connection has left with its token; without an expiry it never ends."""

    __slots__ = (
        "at_ms",
        "beats",
        "ends_at",
        "is_warned",
    )

    def __init__(self, beats: Beats) -> None:
        self.beats = beats
        self.at_ms = 0
        self.ends_at: float | None = None
        self.is_warned = False

    def set(self, expiry: Expiry | None, *, now: float) -> None:
        """Start with this token, also in place of an older one."""
        self.at_ms = expiry.at_ms if expiry else 0
        self.ends_at = now + expiry.in_seconds if expiry else None
        self.is_warned = False

    def warns(self, now: float) -> bool:
        """Whether the end is near and was not told yet; says so once."""
        if self.ends_at is None or self.is_warned:
            return False
        self.is_warned = now >= self.ends_at - self.beats.warning_seconds
        return self.is_warned

    def is_over(self, now: float) -> bool:
        """Whether also the time to bring another token has passed."""
        return self.ends_at is not None and now >= self.ends_at + self.beats.overtime_seconds
