"""The envelope that older components speak: a second spelling of the control socket's frames."""

from datetime import datetime
from typing import Any

from aegis_project.kit.errors import ValidationFailed

Frame = dict[str, Any]

VERSION = "0.1.0"
# STATE_UPDATE: their state and what it says in our words; READY stands before the data socket.
STATES = {
    "RUNNING": "READY",
    "WAITING": "WAIT",
    "FINISHED": "FINISHED",
    "SHUTDOWN": "FINISHED",
    "ERROR": "ERROR",
}
COMMANDS = {
    "ACK": "HEARTBEAT",
    "NACK": "HEARTBEAT",
    "CONFIGURED": "HEARTBEAT",
    "PING": "HEARTBEAT",
    "PONG": "HEARTBEAT",
    "SHUTDOWN": "FINISHED",
    "RUNTIME_ERROR": "ERROR",
    "REGISTRATION_FAILED": "ERROR",
}
ACKNOWLEDGED = frozenset({"STATE_UPDATE", "CONFIGURED", "SHUTDOWN", "RUNTIME_ERROR"})
# Every envelope has these; what lacks one is told which.
REQUIRED = ("protocol_version", "message_id", "source", "target", "type", "command")
MISSING = {f"MISSING_{name.upper()}" for name in (*REQUIRED, "payload")}
MARKS = frozenset(REQUIRED) - {"command"} | {"payload"}
# What our refusals are called there; the others keep their code.
CODES = {
    "CONNECTION_FORBIDDEN": "WRONG_SESSION_TOKEN",
    "INVALID_STATE": "UNEXPECTED_STATE",
    "SESSION_GONE": "SESSION_NOT_FOUND",
    "STORE_DOWN": "SESSION_REGISTRY_UNAVAILABLE",
    "STREAM_FAILED": "INTERNAL_ERROR",
    "TOKEN_INVALID": "MISSING_SESSION_TOKEN",
}
NAMED = frozenset({"MISSING_SESSION_TOKEN", "MISSING_COMPONENT_NAME"})
TYPES = {
    "ALREADY_REGISTERED": "ERROR",
    "REGISTERED": "LIFECYCLE",
    "SHUTDOWN": "LIFECYCLE",
    "ACK": "CONTROL",
    "CONFIGURE": "CONFIG",
    "PING": "HEARTBEAT",
    "PONG": "HEARTBEAT",
    "RUNTIME_ERROR": "ERROR",
    "REGISTRATION_FAILED": "ERROR",
}


def is_envelope(frame: Frame) -> bool:
    """Whether this first frame is of the older spelling."""
    return len(MARKS & frame.keys()) > 1


def plain(frame: Frame) -> Frame:
    """Say a register of the oldest documents, flat and with names of its own, in our words."""
    if "component_name" not in frame:
        return frame
    wanted = {**frame, "requires_streams": frame.get("requires")}
    return {"name": frame["component_name"], "topics": topics(wanted), **frame}


class Envelope:
    """Translate one connection's frames both ways; what was said before decides some of it."""

    def __init__(self) -> None:
        self.register_id: str | None = None
        self.target = "component"
        self.configuration: Frame = {}
        self.is_registered = False
        self.state = "REGISTERED"
        self.opened_at = ""
        self.written = 0

    # Reading

    def inward(self, frame: Frame) -> Frame:
        """
        Say an envelope in our words.

        :raises ValidationFailed: with ``field`` when a part of the envelope is missing
        """
        for name in REQUIRED:
            _text(frame, name)
        command = frame["command"].upper()
        payload = frame.get("payload")
        if not isinstance(payload, dict):
            raise ValidationFailed("MISSING_PAYLOAD", field="payload")
        if command == "REGISTER":
            return self._register(frame, payload)
        if command == "STATE_UPDATE":
            return self._state(payload)
        return {**_error(payload), "COMMAND": COMMANDS.get(command, command)}

    def _register(self, frame: Frame, payload: Frame) -> Frame:
        self.register_id = frame["message_id"]
        name, token = payload.get("component_name"), payload.get("session_token")
        if not token:
            raise ValidationFailed("MISSING_SESSION_TOKEN", field="session_token")
        if not name:
            raise ValidationFailed("MISSING_COMPONENT_NAME", field="component_name")
        self.target = f"component:{name}"
        return {
            "session_token": token,
            "component_id": payload.get("component_id"),
            "name": name,
            "version": payload.get("version"),
            "capabilities": payload.get("capabilities"),
            "topics": topics(payload.get("capabilities")),
        }

    def _state(self, payload: Frame) -> Frame:
        state = _text(payload, "state").upper()
        return {
            "COMMAND": STATES.get(state, "HEARTBEAT"),
            "code": "COMPONENT_ERROR",
            "message": payload.get("message"),
        }

    def answers(self, frame: Frame) -> list[Frame]:
        """List what the older protocol expects at once for this envelope, in our words."""
        command, payload = str(frame["command"]).upper(), frame["payload"]
        if command == "PING":
            return [{"COMMAND": "PONG"}]
        if command not in ACKNOWLEDGED:
            return []
        acknowledged = {"COMMAND": "ACK", "ref": frame.get("message_id")}
        is_ready = command == "STATE_UPDATE" and payload["state"].upper() == "READY"
        return [acknowledged, {"COMMAND": "CONFIGURE"}] if is_ready else [acknowledged]

    # Writing

    def outward(self, frame: Frame, *, at: str) -> Frame | None:
        """
        Put a frame of ours into an envelope of the time ``at`` (ISO 8601).

        None if it has no word there.
        """
        self.opened_at = self.opened_at or at
        match frame:
            case {"COMMAND": "ACK", "component_id": component_id}:
                self.is_registered = True
                self.configuration = {
                    "data_stream_socket": frame["data_socket"],
                    "topics": frame["topics"],
                }
                payload = {
                    "component_id": component_id,
                    "session_id": frame.get("session_id"),
                    "state": "REGISTERED",
                }
                return self._wrap("REGISTERED", payload, at=at, ref=self.register_id)
            case {"COMMAND": "ACK"}:
                return self._wrap("ACK", {"status": "ok"}, at=at, ref=frame.get("ref"))
            case {"COMMAND": "CONFIGURE"}:
                return self._wrap("CONFIGURE", self.configuration, at=at)
            case _:
                return self._outward_rest(frame, at=at)

    def _outward_rest(self, frame: Frame, *, at: str) -> Frame | None:
        match frame:
            case {"COMMAND": "HEARTBEAT"}:
                return self._wrap("PING", {}, at=at)
            case {"COMMAND": "PONG"}:
                uptime = datetime.fromisoformat(at) - datetime.fromisoformat(self.opened_at)
                payload = {"state": self.state, "uptime_seconds": uptime.total_seconds()}
                return self._wrap("PONG", payload, at=at)
            case {"COMMAND": "ERROR", "code": "SESSION_OVER"} if self.is_registered:
                return self._wrap("SHUTDOWN", {}, at=at)
            case {"COMMAND": "ERROR"}:
                return self._refusal(frame, at=at)
            case {"COMMAND": "STATE", "component": "stopped"}:
                return self._wrap("SHUTDOWN", {}, at=at)
            case {"COMMAND": "STATE", "component": component}:
                self.state = component.upper()
        return None

    def _refusal(self, frame: Frame, *, at: str) -> Frame:
        details = frame.get("details", {})
        payload = {
            "code": _code(frame["code"], frame["message"], details),
            "message": frame["message"],
            "recoverable": frame["temporary"],
            "details": details,
        }
        if not self.is_registered:
            return self._wrap("REGISTRATION_FAILED", payload, at=at, ref=self.register_id)
        is_second = frame.get("ref") == "REGISTER"
        return self._wrap("ALREADY_REGISTERED" if is_second else "RUNTIME_ERROR", payload, at=at)

    def _wrap(self, command: str, payload: Frame, *, at: str, ref: Any = None) -> Frame:
        self.written += 1
        return {
            "protocol_version": VERSION,
            "message_id": f"{self.register_id or 'aegis'}-{self.written}",
            "correlation_id": ref,
            "timestamp": at,
            "source": "aegis",
            "target": self.target,
            "type": TYPES[command],
            "command": command,
            "payload": payload,
        }


# Parts


def _code(code: str, message: str, details: Frame) -> str:
    if code != "VALIDATION_ERROR":
        return CODES.get(code, code)
    if message in NAMED:
        return message
    if message in MISSING:
        return "INVALID_ENVELOPE"
    # What could be read at all names the field.
    return "INVALID_PAYLOAD" if "field" in details else "DECODE_ERROR"


def topics(capabilities: Any) -> list[str]:
    """Name the topics that capabilities ask for: streams times symbols times what tells them."""
    if not isinstance(capabilities, dict):
        return []
    details = {
        "klines": _words(capabilities, "supported_timeframes"),
        "orderbook": _words(capabilities, "supported_orderbook_speeds"),
    }
    names = []
    for stream in _words(capabilities, "requires_streams"):
        # One document of the older protocol writes orderBook, another orderbook.
        kind = "orderbook" if stream.lower() == "orderbook" else stream
        for symbol in _words(capabilities, "supported_symbols"):
            ends = details.get(kind) or [""]
            names += [f"{kind}.{symbol}.{end}".rstrip(".") for end in ends]
    return names


def _words(capabilities: Frame, name: str) -> list[str]:
    value = capabilities.get(name)
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _error(payload: Frame) -> Frame:
    return {
        "code": payload.get("code"),
        "message": payload.get("message"),
        "temporary": payload.get("recoverable") is True,
    }


def _text(frame: Frame, name: str) -> str:
    value = frame.get(name)
    if not isinstance(value, str):
        raise ValidationFailed(f"MISSING_{name.upper()}", field=name)
    return value
