"""The frames of the control socket, read and written."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from aegis_project.kit import strict
from aegis_project.kit.errors import ValidationFailed
from components.core.lifecycle import Role
from components.core.messages import (
    Fault,
    Finished,
    Heartbeat,
    Message,
    Proto,
    Ready,
    Refresh,
    Register,
    Result,
    Unknown,
    Wait,
)
from streaming.core import inbound

MAX_BYTES = 64 * 1024
MAX_TOPICS = 1000
MAX_NAME = 128
MAX_TOKEN = 4096
MAX_WINDOW = 1_000_000
MAX_MESSAGE = 2000

Frame = dict[str, Any]


# Reading


def parse(raw: str | bytes) -> Frame:
    """
    Decode one text frame into an object.

    :raises PayloadTooLarge: above 64 KiB of UTF-8
    :raises ValidationFailed: for a binary frame, malformed JSON or another value
    """
    if not isinstance(raw, str):
        raise ValidationFailed("Frames of the control socket are text.")
    frame = strict.decode(raw.encode("utf-8", "surrogatepass"), max_bytes=MAX_BYTES)
    if not isinstance(frame, dict):
        raise ValidationFailed("A frame is one JSON object.")
    return frame


def read(frame: Frame) -> Message:
    """
    Tell what a component said; without COMMAND it is a register. Unknown fields are ignored.

    :raises ValidationFailed: when a field has the wrong form; ``field`` names it
    """
    command = inbound.command_of(frame)
    reader = READERS.get(command)
    return reader(frame) if reader else Unknown(command)


def _register(frame: Frame) -> Register:
    return Register(
        session_token=_token(frame),
        topics=_topics(frame),
        name=_text(frame, "name", MAX_NAME).strip(),
        component_id=_component_id(frame),
        role=_role(frame),
        version=_text(frame, "version", 64),
        capabilities=_object(frame, "capabilities"),
        proto=_proto(frame),
    )


def _fault(frame: Frame) -> Fault:
    return Fault(
        error=_text(frame, "code", 64) or "COMPONENT_ERROR",
        message=_text(frame, "message", MAX_BYTES)[:MAX_MESSAGE],
        temporary=_flag(frame, "temporary"),
    )


def _result(frame: Frame) -> Result:
    id_ = _text(frame, "id", 64)
    if not id_:
        raise _wrong("id", "that of a CALL")
    return Result(id=id_, value=frame.get("result"), error=_told(frame))


def _told(frame: Frame) -> dict[str, str] | None:
    if frame.get("error") is None:
        return None
    error = dict(_object(frame, "error"))
    message = _text(error, "message", MAX_BYTES)[:MAX_MESSAGE]
    return {"code": _text(error, "code", 64) or "COMPONENT_ERROR", "message": message}


READERS: dict[str, Callable[[Frame], Message]] = {
    "": _register,
    "REGISTER": _register,
    "READY": lambda _: Ready(),
    "HEARTBEAT": lambda frame: Heartbeat(_text(frame, "id", 64)),
    "REFRESH": lambda frame: Refresh(_token(frame)),
    "WAIT": lambda _: Wait(),
    "ERROR": _fault,
    "FINISHED": lambda _: Finished(),
    "RESULT": _result,
}


# Fields


def _wrong(name: str, form: str) -> ValidationFailed:
    return ValidationFailed(f"{name} must be {form}.", field=name)


def _text(frame: Frame, name: str, longest: int) -> str:
    value = frame.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise _wrong(name, f"text of at most {longest} characters")
    return value


def _token(frame: Frame) -> str:
    # An empty token is of the right form; that it opens nothing is not decided here.
    if not isinstance(frame.get("session_token"), str):
        raise _wrong("session_token", "text")
    return _text(frame, "session_token", MAX_TOKEN)


def _topics(frame: Frame) -> tuple[str, ...]:
    value = frame.get("topics")
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_TOPICS:
        raise _wrong("topics", f"a list of at most {MAX_TOPICS} names")
    if not all(isinstance(name, str) for name in value):
        raise _wrong("topics", "a list of names")
    return tuple(dict.fromkeys(value))


def _component_id(frame: Frame) -> str | None:
    text = _text(frame, "component_id", 64)
    if not text:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        raise _wrong("component_id", "a UUID") from None


def _role(frame: Frame) -> Role | None:
    text = _text(frame, "role", 16).lower()
    if text and text not in set(Role):
        raise _wrong("role", "one of " + ", ".join(Role))
    return Role(text) if text else None


def _object(frame: Frame, name: str) -> Mapping[str, Any]:
    value = frame.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(name, "an object")
    return value


def _flag(frame: Frame, name: str) -> bool:
    value = frame.get(name, False)
    if not isinstance(value, bool):
        raise _wrong(name, "true or false")
    return value


def _proto(frame: Frame) -> Proto | None:
    if frame.get("proto") is None:
        return None
    value = dict(_object(frame, "proto"))
    return Proto(
        v=_number(value, "v", default=1, least=1, most=1000),
        batch=_flag(value, "batch"),
        window=_number(value, "window", default=0, least=0, most=MAX_WINDOW),
    )


def _number(frame: Frame, name: str, *, default: int, least: int, most: int) -> int:
    value = frame.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise _wrong(f"proto.{name}", f"a whole number from {least} to {most}")
    return value


# Writing: those that the data socket has too stand in `streaming.core.frames`


def ack(
    *,
    component_id: str,
    name: str,
    session_id: str,
    data_socket: str,
    heartbeat_seconds: float,
    topics: Iterable[str],
) -> Frame:
    return {
        "COMMAND": "ACK",
        "component_id": component_id,
        "name": name,
        "session_id": session_id,
        "data_socket": data_socket,
        "heartbeat_seconds": heartbeat_seconds,
        "topics": list(topics),
    }


def heartbeat(n: int, *, id_: str = "") -> Frame:
    """Say that one lives; with an id it asks for one with the same, or is that."""
    beat = {"COMMAND": "HEARTBEAT", "n": n}
    return {**beat, "id": id_} if id_ else beat


def log_level(*, id_: str, level: str) -> Frame:
    """Ask for a log level; RESULT with this id answers."""
    return {"COMMAND": "LOG_LEVEL", "id": id_, "level": level}


def state(*, session: str, component: str) -> Frame:
    return {"COMMAND": "STATE", "session": session, "component": component}


def notice(code: str, message: str, **fields: Any) -> Frame:
    return {"COMMAND": "NOTICE", "code": code, "message": message, **fields}


def call(
    *, id_: str, tool: str, arguments: Mapping[str, Any], effect_key: str, timeout_ms: int
) -> Frame:
    """Ask for a tool that the component offers; RESULT with this id answers."""
    return {
        "COMMAND": "CALL",
        "id": id_,
        "tool": tool,
        "arguments": dict(arguments),
        "effect_key": effect_key,
        "timeout_ms": timeout_ms,
    }


def drain(retry_ms: int) -> Frame:
    return {"COMMAND": "DRAIN", "retry_ms": retry_ms}


def token_expiring(expires_at_ms: int) -> Frame:
    """Say when the token ends, in unix milliseconds."""
    return {"COMMAND": "TOKEN_EXPIRING", "exp": expires_at_ms}
