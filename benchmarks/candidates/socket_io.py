"""socket.io: its own server on Node, or python-socketio on uvicorn; as fast as each can be set."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks import machine, processes, websocket
from benchmarks.candidates.base import Client, Connected, Reading

HERE = Path(__file__).parent
PATH = "/socket.io/?EIO=4&transport=websocket"


@dataclass(frozen=True, slots=True)
class SocketIO:
    """
    One event from one to all; ``server`` is node or python.

    ``peers`` is a folder with python-socketio or `node_modules` in it, where they are not
    installed for everybody.
    """

    server: str
    peers: str = ""
    name: str = "socket.io"
    keeps_up: bool = True

    @property
    def lacks(self) -> str:
        if self.server == "node" and not shutil.which("node"):
            return "node is not installed"
        found, package = (
            (["-e", "require('socket.io')"], "socket.io (npm)")
            if self.server == "node"
            else (["-c", "import socketio"], "python-socketio (pip)")
        )
        ran = subprocess.run(
            [*self._program, *found], capture_output=True, check=False, env=self._environment
        )
        return f"{package} is not installed" if ran.returncode else ""

    @property
    def _program(self) -> list[str]:
        return ["node"] if self.server == "node" else [sys.executable]

    @property
    def _environment(self) -> dict[str, str]:
        if not self.peers:
            return dict(os.environ)
        folder = Path(self.peers).resolve()
        where = {"NODE_PATH": str(folder / "node_modules"), "PYTHONPATH": str(folder)}
        return {**os.environ, **where}

    @contextlib.contextmanager
    def running(self) -> Iterator["SocketIOLive"]:
        name = "socket_io_app.js" if self.server == "node" else "socket_io_app.py"
        command = [*self._program, str(HERE / name)]
        with processes.serving(command, **self._environment) as running:
            yield SocketIOLive(running.pid, running.port)


@dataclass(frozen=True, slots=True)
class SocketIOLive:
    """It while it runs; the publisher hears what it says like everybody."""

    pid: int
    port: int

    def connect(self, subscribers: int) -> Connected:
        before = machine.resident_bytes(self.pid)
        clients = [self._client() for _ in range(subscribers)]
        grown = machine.resident_bytes(self.pid) - before
        return Connected(clients, self._client(), (), grown / subscribers)

    def _client(self) -> Client:
        raw = websocket.connect(self.port, PATH)
        heard = hear(raw, b"0", b"")
        raw.sendall(websocket.frame(b"40"))
        return Client(raw, hear(raw, b"40", heard))

    def beat(self) -> bytes:
        return b""

    def publish(self, messages: Sequence[bytes]) -> bytes:
        return b"".join(websocket.frame(b'42["m",%s]' % one) for one in messages)

    def read(self, payload: bytes) -> Reading | None:
        if not payload.startswith(b"42"):
            return None
        return Reading(orjson.loads(payload[2:])[1]["seq"], 1)


def hear(raw: socket.socket, start: bytes, data: bytes) -> bytes:
    """
    Read until a frame begins so; what came after it.

    :raises ConnectionError: when the server closes instead
    """
    while True:
        for _, begin, end in websocket.split(data):
            if data[begin:end].startswith(start):
                return data[end:]
        more = raw.recv(65536)
        if not more:
            raise ConnectionError("Closed without a word")
        data += more
