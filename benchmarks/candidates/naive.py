"""Channels' `group_send`, in memory or through Valkey."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks import machine, websocket
from benchmarks.candidates.base import Client, Connected, Reading
from tests.stores import Valkey

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Naive:
    """The consumer of :mod:`benchmarks.candidates.naive_app`; ``layer`` is memory or redis."""

    server: str
    layer: str

    @property
    def name(self) -> str:
        return f"group_send ({self.layer})"

    @property
    def keeps_up(self) -> bool:
        return False

    @contextlib.contextmanager
    def running(self) -> Iterator["NaiveLive"]:
        server_core, other_core = machine.cores()
        environment = dict(os.environ)
        with contextlib.ExitStack() as stack:
            if self.layer == "redis":
                with machine.pinned(other_core):
                    environment["NAIVE_REDIS_URL"] = stack.enter_context(Valkey()).url
            with machine.pinned(server_core):
                process = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "benchmarks.candidates.naive_app",
                        self.server,
                        self.layer,
                    ],
                    cwd=ROOT,
                    env=environment,
                    stdout=subprocess.PIPE,
                )
            try:
                assert process.stdout is not None
                yield NaiveLive(process.pid, int(process.stdout.readline()))
            finally:
                machine.end(process)
                assert process.stdout is not None
                process.stdout.close()


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
