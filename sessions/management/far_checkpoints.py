"""`aegis checkpoint`, and `session recover` and `fork`, against a server that was named."""

from typing import Any

from sessions.core import keys
from sessions.management import beginnings, far_sessions, session_redrive
from sessions.management.client import Client
from sessions.management.output import How


def recover(server: Client, *, session: str, checkpoint: str, **given: Any) -> None:
    """Bring a session there back to a checkpoint."""
    one = whole(server, session, checkpoint)
    far_sessions.lever("recover")(server, session=session, checkpoint=one, **given)


def fork(
    server: Client,
    *,
    session: str,
    checkpoint: str,
    replay: bool,
    is_json: bool,
    is_quiet: bool,
    **given: Any,
) -> None:
    """Make another session there of a checkpoint."""
    body = {"checkpoint": whole(server, session, checkpoint), "replay": replay, **given}
    row = server.send("POST", "sessions", session, "fork", body=body)
    session_redrive.tell("fork", row, How(is_json, is_quiet))


def whole(server: Client, session: str, checkpoint: str) -> str:
    """The id of a checkpoint there that begins so and is no label; else what was said."""
    if keys.span(checkpoint) is None:
        return checkpoint
    rows, _ = server.several("sessions", session, "checkpoints", limit=beginnings.MOST)
    if any(row["label"] == checkpoint for row in rows):
        return checkpoint
    return keys.only((row["id"] for row in rows), checkpoint)
