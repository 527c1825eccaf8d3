"""What stands between a READY and the first record."""

from aegis_project.kit.errors import InvalidState
from components.core import frames
from components.core.effects import Effect, MarkReady, Reply
from streaming.core import frames as outbound

SESSION_RUNS = "running"


class Readiness:
    """
    Whether a component said READY, and what it waits for: its data socket, its session.

    ``data_lost_at`` is when its data socket was lost, in seconds of the handshake's clock; None
    while there is one, or never was. Session states are their words.
    """

    __slots__ = (
        "data_lost_at",
        "has_data",
        "is_ready",
        "is_wanted",
        "session",
    )

    def __init__(self) -> None:
        self.is_wanted = False
        self.is_ready = False
        self.has_data = False
        self.data_lost_at: float | None = None
        self.session = ""

    def ready(self) -> list[Effect]:
        """Take READY: it counts once, and as soon as there is a data socket."""
        if self.is_ready:
            return [_notice("ALREADY_READY", "READY was said before; it stands.")]
        self.is_wanted = True
        if self.has_data:
            return self._count()
        return [
            _notice(
                "WAITING_FOR",
                "READY is remembered and counts as soon as the data socket says hello.",
                waiting_for="data_socket",
            )
        ]

    def _count(self) -> list[Effect]:
        self.is_ready = True
        if self.session in {"", SESSION_RUNS}:
            return [MarkReady()]
        told = "READY counts; records come as soon as the session runs."
        return [MarkReady(), _notice("WAITING_FOR", told, waiting_for="session")]

    def wait(self) -> list[Effect]:
        """Take READY back, as long as it does not count."""
        if self.is_ready:
            error = InvalidState("READY stands; hold topics back with PAUSE on the data socket.")
            return [Reply(outbound.error(error, ref="WAIT"))]
        self.is_wanted = False
        return []

    def attach(self, *, is_registered: bool) -> list[Effect]:
        """Note that the data socket said hello."""
        self.has_data = True
        self.data_lost_at = None
        return self._count() if is_registered and self.is_wanted and not self.is_ready else []

    def detach(self, *, now: float) -> None:
        """Note that the data socket is gone: READY stands."""
        if self.has_data:
            self.has_data = False
            self.data_lost_at = now


def _notice(code: str, message: str, **fields: str) -> Reply:
    return Reply(frames.notice(code, message, **fields))
