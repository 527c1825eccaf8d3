"""Sockets during a handshake of many: while one is waited for, all are kept alive."""

import selectors
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks import websocket
from benchmarks.candidates.base import Client

READ_BYTES = 65536
BEAT_SECONDS = 2.0
ANSWER_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Line:
    """One socket; ``beat`` is sent every two seconds, once there is one."""

    lines: "Lines"
    raw: socket.socket
    pending: bytes = b""
    heard: deque[bytes] = field(default_factory=deque)
    beat: bytes = b""

    def say(self, **frame: Any) -> None:
        """Send a frame."""
        self.raw.sendall(websocket.frame(orjson.dumps(frame)))

    def hear(self, command: str) -> dict[str, Any]:
        """
        The next frame with this command; others are passed over, errors are not.

        :raises ConnectionError: for an ERROR frame, a close, or no answer within a minute
        """
        give_up_at = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < give_up_at:
            while self.heard:
                frame: dict[str, Any] = orjson.loads(self.heard.popleft())
                if frame.get("COMMAND") == command:
                    return frame
                if frame.get("COMMAND") == "ERROR":
                    raise ConnectionError(str(frame))
            self.lines.wait()
        raise ConnectionError(f"No {command} within a minute")

    def take(self) -> None:
        """Read what is there."""
        data = self.raw.recv(READ_BYTES)
        if not data:
            raise ConnectionError("Closed without a word")
        data, at = self.pending + data, 0
        for opcode, start, end in websocket.split(data):
            at = end
            if opcode == websocket.PING:
                self.raw.sendall(websocket.frame(data[start:end], websocket.PONG))
            elif opcode == websocket.CLOSE:
                raise ConnectionError(f"Closed: {data[start:end]!r}")
            else:
                self.heard.append(data[start:end])
        self.pending = data[at:]

    def client(self) -> Client:
        """The socket as the load generator takes it over."""
        self.lines.let_go(self)
        return Client(self.raw, self.pending)


class Lines:
    """All sockets to one server that are in their handshakes."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._selector = selectors.DefaultSelector()
        self._beat_at = time.monotonic() + BEAT_SECONDS

    def open(self, path: str, *, receive_bytes: int = 0) -> Line:
        """One more; those that are there already are kept alive meanwhile."""
        line = Line(self, websocket.connect(self.port, path, receive_bytes=receive_bytes))
        self._selector.register(line.raw, selectors.EVENT_READ, line)
        self.wait(0)
        return line

    def wait(self, seconds: float = BEAT_SECONDS) -> None:
        """Read from whoever has something to say, beat when it is time."""
        for key, _ in self._selector.select(seconds):
            key.data.take()
        if time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + BEAT_SECONDS
            for key in self._selector.get_map().values():
                if key.data.beat:
                    key.data.raw.sendall(key.data.beat)

    def let_go(self, line: Line) -> None:
        """Leave a socket to somebody else."""
        self._selector.unregister(line.raw)
