"""Peers of Aegis as processes on the core for servers, which print the port they took."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that listens."""

    pid: int
    port: int


@contextlib.contextmanager
def serving(command: Sequence[str], **environment: str) -> Iterator[Serving]:
    """
    Start a command that prints its port once it listens; it ends with the block.

    :raises RuntimeError: if it ends before that
    """
    server_core, _ = machine.cores()
    with machine.pinned(server_core):
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE
        )
    assert process.stdout is not None
    try:
        port = process.stdout.readline()
        if not port:
            raise RuntimeError(f"{command[0]} does not start")
        yield Serving(process.pid, int(port))
    finally:
        machine.end(process)
        process.stdout.close()
