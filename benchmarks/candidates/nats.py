"""nats-server over its WebSocket listener."""

import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine, websocket
from benchmarks.candidates.base import Client, Connected, Reading
from tests.stores import free_port

START_SECONDS, ANSWER_SECONDS = 10.0, 10.0
SEQ = re.compile(rb'\{"seq":(\d+)')
CONFIGURATION = """
host: 127.0.0.1
port: {port}
websocket {{ host: "127.0.0.1", port: {websocket}, no_tls: true, compression: false }}
"""


@dataclass(frozen=True, slots=True)
class Nats:
    """Its core, without persistence."""

    server: str = "nats-server"
    name: str = "nats-server"
    keeps_up: bool = True

    @property
    def lacks(self) -> str:
        return "" if shutil.which(self.name) else "nats-server is not installed (apt-get)"

    @contextlib.contextmanager
    def running(self) -> Iterator["NatsLive"]:
        server_core, _ = machine.cores()
        port = free_port()
        with tempfile.TemporaryDirectory(prefix="nats-") as folder:
            configuration = Path(folder, "nats.conf")
            configuration.write_text(CONFIGURATION.format(port=free_port(), websocket=port))
            with machine.pinned(server_core):
                process = subprocess.Popen(
                    [shutil.which(self.name) or self.name, "-c", str(configuration)],
                    stderr=subprocess.DEVNULL,
                )
            try:
                wait_for(port)
                yield NatsLive(process.pid, port)
            finally:
                machine.end(process)


def wait_for(port: int) -> None:
    """Return when something listens there."""
    give_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > give_up_at:
                raise
            threading.Event().wait(0.05)
        else:
            return


@dataclass(frozen=True, slots=True)
class NatsLive:
    """It while it runs; every client speaks its text protocol in binary frames."""

    pid: int
    port: int

    def connect(self, subscribers: int) -> Connected:
        before = machine.resident_bytes(self.pid)
        clients = [self._client(b"SUB bench 1\r\n") for _ in range(subscribers)]
        grown = machine.resident_bytes(self.pid) - before
        return Connected(clients, self._client(b""), (), grown / subscribers)

    def _client(self, wish: bytes) -> Client:
        raw = websocket.connect(self.port, "/")
        hello = b'CONNECT {"verbose":false,"pedantic":false,"echo":false}\r\n'
        raw.sendall(websocket.frame(hello + wish + b"PING\r\n", websocket.BINARY))
        heard, give_up_at = b"", time.monotonic() + ANSWER_SECONDS
        while not heard.endswith(b"PONG\r\n"):
            if time.monotonic() > give_up_at:
                raise ConnectionError(f"No PONG: {heard!r}")
            heard += raw.recv(65536)
        return Client(raw)

    def beat(self) -> bytes:
        return b""

    def publish(self, messages: Sequence[bytes]) -> bytes:
        said = b"".join(b"PUB bench %d\r\n%s\r\n" % (len(one), one) for one in messages)
        return websocket.frame(said, websocket.BINARY)

    def read(self, payload: bytes) -> Reading | None:
        return self.scan(payload)[0]

    def scan(self, data: bytes) -> tuple[Reading | None, int]:
        """The whole messages in a piece of the stream, and how many bytes they are."""
        end = data.rfind(b"}\r\n") + 3
        numbers = list(map(int, SEQ.findall(data, 0, end))) if end > 2 else []
        if not numbers:
            return None, 0
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise ValueError("The messages of a read are out of order")
        return Reading(numbers[0], len(numbers)), end
