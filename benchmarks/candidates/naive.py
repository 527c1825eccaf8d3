"""Channels' `group_send` as it is taught, and tuned as far as Channels lets itself be tuned."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from benchmarks import machine, processes, websocket
from benchmarks.candidates.base import Client, Connected, Reading
from tests.stores import Valkey


@dataclass(frozen=True, slots=True)
class Naive:
    """
    A consumer of :mod:`benchmarks.candidates.naive_app`.

    ``layer`` is memory, redis (the core layer through Valkey) or tuned: its pub/sub layer, text
    passed on as it is, and no thread hop per message.
    """

    server: str
    layer: str

    @property
    def name(self) -> str:
        return "tuned Channels" if self.layer == "tuned" else f"group_send ({self.layer})"

    @property
    def keeps_up(self) -> bool:
        return False

    @property
    def lacks(self) -> str:
        return ""

    @contextlib.contextmanager
    def running(self) -> Iterator["NaiveLive"]:
        _, other_core = machine.cores()
        environment = {}
        with contextlib.ExitStack() as stack:
            if self.layer != "memory":
                with machine.pinned(other_core):
                    environment["NAIVE_REDIS_URL"] = stack.enter_context(Valkey()).url
            app = "benchmarks.candidates.naive_app"
            command = [sys.executable, "-m", app, self.server, self.layer]
            running = stack.enter_context(processes.serving(command, **environment))
            yield NaiveLive(running.pid, running.port)


@dataclass(frozen=True, slots=True)
class NaiveLive:
    """The consumer while it runs."""

    pid: int
    port: int

    def connect(self, subscribers: int) -> Connected:
        """The publisher is in the group too, so it reads what it says like everybody."""
        before = machine.resident_bytes(self.pid)
        clients = [self._client() for _ in range(subscribers)]
        grown = machine.resident_bytes(self.pid) - before
        return Connected(clients, self._client(), (), grown / subscribers)

    def _client(self) -> Client:
        return Client(websocket.connect(self.port, "/"))

    def beat(self) -> bytes:
        return b""

    def publish(self, messages: Sequence[bytes]) -> bytes:
        return b"".join(map(websocket.frame, messages))

    def read(self, payload: bytes) -> Reading | None:
        return Reading(orjson.loads(payload)["seq"], 1)
