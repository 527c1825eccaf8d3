"""The envelope that older components speak: a second spelling of the control socket's frames."""

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
TYPES = {
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
    return "payload" in frame and "type" in frame


class Envelope:
    """Translate one connection's frames both ways; what was said before decides some of it."""

    def __init__(self) -> None:
        self.register_id: str | None = None
        self.target = "component"
        self.configuration: Frame = {}
        self.is_registered = False
        self.written = 0

    # Reading

    def inward(self, frame: Frame) -> Frame:
        """
        Say an envelope in our words.

        :raises ValidationFailed: with ``field`` when a part of the envelope is missing
        """
        command = _text(frame, "command").upper()
        payload = frame.get("payload")
        if not isinstance(payload, dict):
            raise ValidationFailed("MISSING_PAYLOAD", field="payload")
        if command == "REGISTER":
            return self._register(frame, payload)
        if command == "STATE_UPDATE":
            return self._state(payload)
        return {**_error(payload), "COMMAND": COMMANDS.get(command, command)}

    def _register(self, frame: Frame, payload: Frame) -> Frame:
        name = payload.get("component_name")
        self.register_id = _text(frame, "message_id")
        self.target = f"component:{name}"
        return {
            "session_token": payload.get("session_token"),
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
        """Put a frame of ours into an envelope of the time ``at``; None if it has no word there."""
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
                return self._wrap("PONG", {}, at=at)
            case {"COMMAND": "ERROR"}:
                command = "RUNTIME_ERROR" if self.is_registered else "REGISTRATION_FAILED"
                payload = {
                    "code": frame["code"],
                    "message": frame["message"],
                    "recoverable": frame["temporary"],
                    "details": frame.get("details", {}),
                }
                return self._wrap(command, payload, at=at)
            case {"COMMAND": "STATE", "component": "stopped"}:
                return self._wrap("SHUTDOWN", {}, at=at)
            case _:
                return None

    def _wrap(self, command: str, payload: Frame, *, at: str, ref: Any = None) -> Frame:
        self.written += 1
        return {
            "protocol_version": VERSION,
            "message_id": f"{self.register_id}-{self.written}",
            "correlation_id": ref,
            "timestamp": at,
            "source": "aegis",
            "target": self.target,
            "type": TYPES[command],
            "command": command,
            "payload": payload,
        }


# Parts


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
