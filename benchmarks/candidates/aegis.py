"""Aegis itself: the whole application, real components, real tokens."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from benchmarks import machine, websocket
from benchmarks.candidates.base import Client, Reading
from tests.serving import start_server

TOPIC = "klines.BTCUSDT.1m"
HEARTBEAT = websocket.frame(b'{"COMMAND":"HEARTBEAT"}')

# Run beside the server: a session that runs, and a token for its components.
PREPARE = """
from aegis_project.kit import principal
from sessions.services import creation, lifecycle
by = principal.system("benchmark")
made = creation.create(principal=by, draft=creation.Draft(name="fan-out"), with_token=True)
lifecycle.start(principal=by, session=made.session)
print(made.secret)
"""


@dataclass(frozen=True, slots=True)
class Aegis:
    """`aegis serve`; ``is_batched`` lets frames carry many messages, to and from the server."""

    server: str
    is_batched: bool = True

    @property
    def name(self) -> str:
        return "aegis (batch)" if self.is_batched else "aegis (single)"

    @contextlib.contextmanager
    def running(self) -> Iterator["AegisLive"]:
        server_core, _ = machine.cores()
        with contextlib.ExitStack() as stack:
            with machine.pinned(server_core):
                running = stack.enter_context(start_server("--server", self.server))
            token = running.manage("shell", "-v", "0", "-c", PREPARE).split()[-1]
            port = urlsplit(running.url).port
            assert port is not None
            yield AegisLive(running.process.pid, port, token, self.is_batched)


@dataclass(slots=True)
class AegisLive:
    """Aegis while it runs; each subscriber is a component with both its sockets."""

    pid: int
    port: int
    token: str
    is_batched: bool
    _controls: list[Client] = field(default_factory=list)
    _offset: int | None = None

    def subscriber(self) -> Client:
        return self._component("observer", subscribes=True)

    def publisher(self) -> Client:
        return self._component("feed", subscribes=False)

    def companions(self) -> Sequence[Client]:
        return self._controls

    def beat(self) -> bytes:
        return HEARTBEAT

    def _component(self, role: str, *, subscribes: bool) -> Client:
        control = Line(self.port, "/ws/control")
        control.say(
            session_token=self.token,
            topics=[TOPIC],
            name=f"{role}-{len(self._controls)}",
            role=role,
            proto={"batch": self.is_batched},
        )
        ack = control.hear("ACK")
        data = Line(self.port, ack["data_socket"])
        data.say(session_token=self.token, component_id=ack["component_id"])
        data.hear("ACK")
        if subscribes:
            data.say(COMMAND="SUBSCRIBE", id=1, topics=[TOPIC])
            data.hear("SUBSCRIBED")
        control.say(COMMAND="READY")
        while control.hear("STATE")["component"] != "running":
            continue
        self._controls.append(control.client())
        return data.client()

    def publish(self, messages: Sequence[bytes]) -> bytes:
        if self.is_batched:
            return _published(b'"msgs":[' + b",".join(messages) + b"]")
        return b"".join(_published(b'"data":' + message) for message in messages)

    def read(self, payload: bytes) -> Reading | None:
        frame = orjson.loads(payload)
        messages = frame.get("msgs") or ([frame["data"]] if "data" in frame else None)
        if messages is None:
            refuse_announced(frame)
            return None
        first = int(messages[0]["seq"])
        if [message["seq"] for message in messages] != list(range(first, first + len(messages))):
            raise ValueError("The messages of a frame are out of order")
        self._check_seq(frame.get("first", frame.get("seq")), first)
        return Reading(first, len(messages))

    def _check_seq(self, seq: int, first: int) -> None:
        # There is one publisher, so Aegis' numbers differ from its own by a constant.
        if self._offset is None:
            self._offset = seq - first
        if seq - first != self._offset:
            raise ValueError("The server numbered a message wrongly")


def refuse_announced(frame: dict[str, Any]) -> None:
    """No subscriber of a benchmark is slow enough to be told of a loss."""
    if frame.get("COMMAND") in {"GAP", "END", "ERROR"}:
        raise ValueError(f"The server announced {frame}")


def _published(content: bytes) -> bytes:
    return websocket.frame(b'{"COMMAND":"PUBLISH","topic":"%s",%s}' % (TOPIC.encode(), content))


class Line:
    """One socket during the handshake."""

    def __init__(self, port: int, path: str) -> None:
        self.raw = websocket.connect(port, path)
        self.pending = bytearray()

    def say(self, **frame: Any) -> None:
        self.raw.sendall(websocket.frame(orjson.dumps(frame)))

    def hear(self, command: str) -> dict[str, Any]:
        """The next frame with this command; others are passed over, errors are not."""
        while True:
            frame: dict[str, Any] = orjson.loads(websocket.read_one(self.raw, self.pending))
            if frame.get("COMMAND") == command:
                return frame
            if frame.get("COMMAND") == "ERROR":
                raise ConnectionError(str(frame))

    def client(self) -> Client:
        return Client(self.raw, bytes(self.pending))
