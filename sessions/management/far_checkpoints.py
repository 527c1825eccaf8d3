"""`aegis checkpoint`, and `session recover` and `fork`, against a server that was named."""

from typing import Any

from sessions.api.checkpoint_documents import CheckpointSummary
from sessions.core import keys
from sessions.management import beginnings, checkpoint_tables, far_sessions, session_redrive
from sessions.management.checkpoint_tables import SHAPE
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.output import How


def create(server: Client, *, session: str, label: str, is_json: bool, is_quiet: bool) -> None:
    """Take a checkpoint of where a session there is now."""
    row = server.send("POST", "sessions", session, "checkpoints", body={"label": label})
    SHAPE.tell_one(How(is_json, is_quiet), "create", _brief(row))


def show(server: Client, *, session: str, checkpoint: str, is_json: bool, is_quiet: bool) -> None:
    """What a checkpoint there holds."""
    SHAPE.tell_one(How(is_json, is_quiet), "show", _read(server, session, checkpoint))


def diff(
    server: Client, *, session: str, checkpoint: str, to: str, is_json: bool, is_quiet: bool
) -> None:
    """Compare a checkpoint there with another one, or with the session as it is now."""
    one, other = whole(server, session, checkpoint), whole(server, session, to)
    found = server.get("sessions", session, "checkpoints", one, "diff", to=other)
    checkpoint_tables.show_difference(How(is_json, is_quiet), found)


def remove(
    server: Client,
    *,
    session: str,
    checkpoint: list[str],
    is_sure: bool,
    is_dry: bool,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """Let checkpoints there go."""

    def act(one: str) -> Document:
        row = _read(server, session, one)
        server.send("DELETE", "sessions", session, "checkpoints", row["id"])
        return _brief(row)

    SHAPE.remove_by(
        How(is_json, is_quiet),
        checkpoint,
        read=lambda one: _brief(_read(server, session, one)),
        act=act,
        is_sure=is_sure,
        is_dry=is_dry,
    )


def _read(server: Client, session: str, checkpoint: str) -> Document:
    one = whole(server, session, checkpoint)
    found: Document = server.get("sessions", session, "checkpoints", one)
    return found


def _brief(row: Document) -> Document:
    return {name: row[name] for name in CheckpointSummary.__struct_fields__}


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
