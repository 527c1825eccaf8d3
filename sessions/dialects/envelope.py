"""The envelopes of seed 000: what came, and the answers to it."""

from typing import Any

from msgspec import Struct

from aegis_project.kit.errors import AegisError, ValidationFailed
from components.core.errors import ComponentAmbiguous
from sessions.core.errors import AmbiguousReference, SessionNotFound

MAX_REQUEST_ID = 200
MAX_COMMAND = 64


class Envelope(Struct, frozen=True):
    """One request: its id, the command in capitals, what it is about."""

    request_id: str
    command: str
    payload: dict[str, Any]


class Refused(Exception):
    """A command failed, and its answer carries more than the reason."""

    def __init__(self, error: AegisError, data: dict[str, Any]) -> None:
        self.error, self.data = error, data
        super().__init__(error.message)


def read(value: Any, *, request_id: str) -> Envelope:
    """
    The envelope in a decoded body; ``request_id`` is for one that brings none.

    :raises ValidationFailed: for what is no envelope
    """
    if not isinstance(value, dict):
        raise ValidationFailed("An envelope is an object of request_id, command and payload.")
    given = value.get("request_id", request_id)
    command = value.get("command", value.get("type"))
    payload = value.get("payload", value.get("data"))
    if not isinstance(given, str) or len(given) > MAX_REQUEST_ID:
        raise ValidationFailed("request_id must be a text of at most 200 characters.")
    if not isinstance(command, str) or not 0 < len(command) <= MAX_COMMAND:
        raise ValidationFailed("command must be a word of at most 64 characters.")
    if not isinstance(payload, dict | None):
        raise ValidationFailed("payload must be an object.")
    return Envelope(given, command.strip().upper(), payload or {})


def ok(envelope: Envelope, data: dict[str, Any], *, message: str = "") -> dict[str, Any]:
    """The answer to a command that was carried out."""
    said = {"message": message} if message else {}
    return {**_head(envelope, "ok"), **said, "data": data}


def error(envelope: Envelope, message: str, data: dict[str, Any] | None) -> dict[str, Any]:
    """The answer to a command that failed; without ``data`` where the seed shows none."""
    rest = {} if data is None else {"data": data}
    return {**_head(envelope, "error"), "message": message, **rest}


def reason(failure: AegisError) -> str:
    """Why, in the words of seed 000 where it has some."""
    if isinstance(failure, SessionNotFound):
        return "Session not found"
    if isinstance(failure, AmbiguousReference):
        return _several(**failure.details)
    if isinstance(failure, ComponentAmbiguous):
        return f"multiple components found: {', '.join(failure.details['candidates'])}"
    return failure.message


def _several(*, session: str, by: str, matches: int | None = None) -> str:
    count = f" ({matches} matches)" if matches else ""
    found = f"multiple sessions found with {by} '{session}'{count}"
    return f"{found}. Use session ID for disambiguation"


def _head(envelope: Envelope, status: str) -> dict[str, Any]:
    return {"request_id": envelope.request_id, "command": envelope.command, "status": status}


def named(value: Any) -> Envelope:
    """As much of an envelope as can be read from what is none."""
    found = value if isinstance(value, dict) else {}
    given, command = found.get("request_id"), found.get("command", found.get("type"))
    return Envelope(
        given if isinstance(given, str) and len(given) <= MAX_REQUEST_ID else "",
        command.strip().upper() if isinstance(command, str) and len(command) <= MAX_COMMAND else "",
        {},
    )
