"""What a client of seed 001 hears at the socket of a session: the session anew, as it moves."""

from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

from aegis_project.kit.errors import ValidationFailed
from sessions.core.events import SessionEvent
from sessions.dialects import agent_session_shapes as shapes
from sessions.models import Session
from streaming.api import codecs

AGENT_SESSION = "agent-session"
Updates = Literal["", "agent-session"]

# A clock that was set changes nothing that the seed shows.
SHOWN = frozenset(SessionEvent) - {SessionEvent.REPOSITIONED}


def read(word: str) -> Updates:
    """
    Which updates an address asks for.

    :raises ValidationFailed: for any that there are not
    """
    if word == AGENT_SESSION:
        return "agent-session"
    if word:
        raise ValidationFailed(f"updates is {AGENT_SESSION} or nothing.", fields=["updates"])
    return ""


def are_due(types: Iterable[str]) -> bool:
    """Whether these events change what is shown of the session."""
    return any(one in SHOWN for one in types)


def update(session_id: UUID) -> dict[str, Any]:
    """The session as it is now, also one that was deleted."""
    row = Session.objects.get(pk=session_id)
    return {"type": "update", "session": codecs.show(shapes.whole(row))}
