"""What a command of the lever did."""

from dataclasses import dataclass

from sessions.models import Session
from streaming.services.commands import Trace


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    The session after a command, and the state before it.

    ``is_pending`` says that a start was accepted and waits for READY; ``secret`` is a session
    token that is shown this once.
    """

    session: Session
    previous: str
    is_pending: bool = False
    secret: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the state moved."""
        return self.session.state != self.previous

    def audit(self) -> Trace:
        detail = {"from": self.previous, "to": self.session.state}
        if self.session.reason:
            detail["reason"] = self.session.reason
        return Trace(session_id=self.session.pk, target=self.session.key, detail=detail)
