"""The rows of sessions."""

from sessions.models.replay import Replay
from sessions.models.session import Session

__all__ = ["Replay", "Session"]
