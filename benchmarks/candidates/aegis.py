"""Aegis itself: the whole application, real components, real tokens."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from benchmarks import machine, websocket
from benchmarks.candidates.base import Connected, Reading
from benchmarks.candidates.lines import Line, Lines
from tests.serving import start_server
from tests.stores import Valkey

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
    is_in_valkey: bool = False

    @property
    def name(self) -> str:
        store = ", Valkey" if self.is_in_valkey else ""
        return f"aegis ({'batch' if self.is_batched else 'single'}{store})"

    @property
    def keeps_up(self) -> bool:
        return self.is_batched

    @property
    def lacks(self) -> str:
        return ""

    @contextlib.contextmanager
    def running(self) -> Iterator["AegisLive"]:
        server_core, other_core = machine.cores()
        settings: dict[str, Any] = {}
        with contextlib.ExitStack() as stack:
            if self.is_in_valkey:
                with machine.pinned(other_core):
                    settings["AEGIS_REDIS_URL"] = stack.enter_context(Valkey()).url
            with machine.pinned(server_core):
                running = stack.enter_context(start_server("--server", self.server, **settings))
            token = running.manage("shell", "-v", "0", "-c", PREPARE).split()[-1]
            port = urlsplit(running.url).port
            assert port is not None
            yield AegisLive(running.process.pid, Lines(port), token, self.is_batched)


@dataclass(slots=True)
class Component:
    """Both sockets of a component; the second is opened after the first one's ACK."""

    control: Line
    _data: Line | None = None

    @property
    def data(self) -> Line:
        assert self._data is not None
        return self._data

    @data.setter
    def data(self, line: Line) -> None:
        self._data = line


@dataclass(slots=True)
class AegisLive:
    """Aegis while it runs; each subscriber is a component with both its sockets."""

    pid: int
    lines: Lines
    token: str
    is_batched: bool
    _offset: int | None = None

    def connect(self, subscribers: int) -> Connected:
        before = machine.resident_bytes(self.pid)
        components = self.components("observer", subscribers)
        grown = machine.resident_bytes(self.pid) - before
        (publisher,) = self.components("feed", 1)
        controls = [one.control.client() for one in [*components, publisher]]
        clients = [one.data.client() for one in components]
        return Connected(clients, publisher.data.client(), controls, grown / subscribers)

    def components(self, role: str, count: int, *, receive_bytes: int = 0) -> list[Component]:
        """
        Take each step of the handshake for all at once, as components do that start together.

        ``receive_bytes`` bounds what their data sockets take without being read.
        """
        register = {"session_token": self.token, "role": role, "proto": {"batch": self.is_batched}}
        components = [Component(self.lines.open("/ws/control")) for _ in range(count)]
        for n, one in enumerate(components):
            one.control.say(name=f"{role}-{n}", topics=[TOPIC], **register)
        for one in components:
            ack = one.control.hear("ACK")
            one.control.beat = HEARTBEAT
            one.data = self.lines.open(ack["data_socket"], receive_bytes=receive_bytes)
            one.data.say(session_token=self.token, component_id=ack["component_id"])
        for one in components:
            one.data.hear("ACK")
            if role != "feed":
                one.data.say(COMMAND="SUBSCRIBE", id=1, topics=[TOPIC])
                one.data.hear("SUBSCRIBED")
            one.control.say(COMMAND="READY")
        for one in components:
            while one.control.hear("STATE")["component"] != "running":
                continue
        return components

    def beat(self) -> bytes:
        return HEARTBEAT

    def publish(self, messages: Sequence[bytes]) -> bytes:
        if self.is_batched:
            return published(b'"msgs":[' + b",".join(messages) + b"]")
        return b"".join(published(b'"data":' + message) for message in messages)

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


def published(content: bytes) -> bytes:
    """A PUBLISH frame with this member."""
    return websocket.frame(b'{"COMMAND":"PUBLISH","topic":"%s",%s}' % (TOPIC.encode(), content))
