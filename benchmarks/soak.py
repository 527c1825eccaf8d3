"""Components over two server processes, PostgreSQL and Valkey, through kills of all of them."""

import argparse
import contextlib
import dataclasses
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import machine, report
from tests import services
from tests.e2e import places, remote
from tests.serving import ROOT, Running, clean, launch, start_server
from tests.stores import Valkey

CLIENTS, KILL_SECONDS, SETTLE_SECONDS, LOOK_SECONDS = 4, 15.0, 15.0, 30.0
MUSTS = ("unannounced", "duplicates", "reorders")
# Pools, caches and retention fill at first; a shorter rest says nothing about growth.
FILLING_SECONDS, JUDGED_SECONDS = 120.0, 240.0
MOST_GROWTH = 0.5
"""MiB per minute that a server may grow by."""
SETTINGS = {"AEGIS_DATA_FRAMES_PER_SECOND": "0"}


@dataclass
class Client:
    """One client process; ``said`` is the last line of each life."""

    command: list[str]
    environment: dict[str, str]
    output: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin a life."""
        with self.output.open("ab") as out:
            out.write(b'"life"\n')
            out.flush()
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=out, stderr=subprocess.DEVNULL
            )

    def kill(self) -> None:
        """End it without a word."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def said(self) -> list[dict[str, int]]:
        """What each of its lives counted last."""
        lives: list[dict[str, int]] = []
        for line in self.output.read_text().splitlines():
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if told == "life":
                    lives.append({})
                else:
                    lives[-1] = told
        return lives


@dataclass
class Soak:
    """Everything that runs, and what was seen of it."""

    servers: list[Running]
    valkey: Valkey
    clients: list[Client]
    kills: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[float, list[int], list[int], int]] = field(default_factory=list)
    # What the server that is killed had when it was: seconds and bytes.
    at_kills: list[tuple[float, int]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def hurt(self, what: str) -> None:
        """Kill something and start it again."""
        report.progress(f"kill: {what}")
        self.kills[what] += 1
        if what == "server":
            self.restart_server()
        elif what == "client":
            self.clients[0].kill()
            self.clients[0].start()
        else:
            self.valkey.kill()
            if what == "valkey wiped":
                shutil.rmtree(self.valkey.folder / "appendonlydir")
            self.valkey.start()

    def restart_server(self) -> None:
        """Kill the first server; the second one is never killed, so that its memory can be seen."""
        first = self.servers[0]
        resident = machine.resident_bytes(first.process.pid)
        self.at_kills.append((time.monotonic() - self.began, resident))
        first.kill()
        port = str(urlsplit(first.url).port)
        again = launch(["aegis", "serve", "--port", port], first.home, first.environment)
        first.process = again.process

    def sample(self) -> None:
        """Look at memory, descriptors and the tasks of the clients."""
        pids = [one.process.pid for one in self.servers]
        memory = [machine.resident_bytes(pid) for pid in pids]
        descriptors = [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]
        tasks = sum(one.said()[-1].get("tasks", 0) for one in self.clients)
        self.samples.append((time.monotonic() - self.began, memory, descriptors, tasks))

    def growth(self) -> dict[str, float | None]:
        """
        By how much each server grew once it was full, in MiB per minute; None after too short a time.

        Of the server that is killed each life counts by what it had at its end.
        """
        kept = [(at, memory[1]) for at, memory, _, _ in self.samples]
        return {"never killed": slope(kept), "killed": slope(self.at_kills)}

    def counted(self) -> Counter[str]:
        """The sums over all lives of all clients."""
        total: Counter[str] = Counter()
        for client in self.clients:
            for life in client.said():
                total.update({k: v for k, v in life.items() if k not in {"tasks", "fds"}})
        return total


@contextlib.contextmanager
def running(components: int, rate: float) -> Iterator[Soak]:
    """Start the stores, the servers, a session and its components; all end with the block."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aegis-soak-")))
        valkey = stack.enter_context(Valkey(is_lasting=True))
        first = stack.enter_context(places.place("postgresql uvicorn"))
        home = folder / "second"
        shutil.copytree(first.home, home)
        second = dataclasses.replace(first, home=home)
        settings = {**SETTINGS, **first.settings, "AEGIS_REDIS_URL": valkey.url}
        report.progress("starting two servers")
        servers = [
            stack.enter_context(start_server(*one.arguments, home=one.home, **settings))
            for one in (first, second)
        ]
        made = remote.send(servers[0], "POST", "/api/v1/sessions", {"token": True}).body
        remote.send(servers[0], "POST", f"/api/v1/sessions/{made['id']}/start", {})
        environment = {**clean(), "AEGIS_SESSION_TOKEN": made["session_token"]}
        urls = [one.url for one in servers]
        clients = [
            Client(command(urls, folder, index, components, rate), environment, folder / f"{index}")
            for index in range(CLIENTS)
        ]
        report.progress(f"starting {components} components in {CLIENTS} processes")
        for client in clients:
            stack.callback(client.kill)
            client.start()
        yield Soak(servers, valkey, clients)


def command(urls: list[str], folder: Path, index: int, components: int, rate: float) -> list[str]:
    """How one client process is started; the last one publishes too."""
    each = components // CLIENTS
    options: list[Any] = ["--first", index * each, "--count", each, "--folder", folder]
    if index == CLIENTS - 1:
        options += ["--rate", rate]
    # The one that publishes does so at the server that is never killed.
    return [sys.executable, "-m", "benchmarks.soak_client", *urls[::-1], *map(str, options)]


def go(soak: Soak, *, seconds: float, seed: int) -> None:
    """Hurt something every quarter of a minute; look every minute, and at both ends."""
    choices = random.Random(seed)  # noqa: S311 -- the same kills each time
    harms: list[str] = []
    time.sleep(SETTLE_SECONDS)  # noqa: TID251 -- a soak is waiting
    soak.began = time.monotonic()
    look_at = hurt_at = 0.0
    while (now := time.monotonic() - soak.began) < seconds:
        if now >= look_at:
            soak.sample()
            look_at += LOOK_SECONDS
        if now >= hurt_at and seconds - now > SETTLE_SECONDS:
            harms = harms or choices.sample(["server", "valkey kept", "client", "valkey wiped"], 4)
            soak.hurt(harms.pop())
            hurt_at = now + KILL_SECONDS
        time.sleep(0.2)  # noqa: TID251 -- a soak is waiting
    soak.sample()


def slope(found: Sequence[tuple[float, int]]) -> float | None:
    """MiB per minute by the least squares, of (seconds, bytes) after the time of filling."""
    full = [(at / 60, size / 2**20) for at, size in found if at >= FILLING_SECONDS]
    if len(full) < 3 or (full[-1][0] - full[0][0]) * 60 < JUDGED_SECONDS:
        return None
    return statistics.linear_regression(*zip(*full, strict=True)).slope


def judged(growth: float | None) -> str:
    """How a growth is told."""
    if growth is None:
        return "too short a time to judge"
    verdict = "flat" if growth <= MOST_GROWTH else f"GROWS by more than {MOST_GROWTH}"
    return f"{growth:+.2f} MiB per minute: {verdict}"


def told(soak: Soak) -> str:
    """What was seen, for people."""
    lines = []
    for at, memory, descriptors, tasks in soak.samples:
        mib = ", ".join(f"{one / 2**20:.1f}" for one in memory)
        lines.append([f"{at:.0f}", mib, ", ".join(map(str, descriptors)), str(tasks)])
    counted = soak.counted()
    return "\n\n".join(
        [
            report.table(("second", "RSS MiB", "descriptors", "client tasks"), lines),
            *(f"RSS of the server {which}: {judged(one)}" for which, one in soak.growth().items()),
            "kills: " + ", ".join(f"{count} {what}" for what, count in sorted(soak.kills.items())),
            f"{counted['records']:,} records delivered, {counted['gaps announced']} gaps and "
            f"{counted['rewinds']} rewinds announced",
            "must be 0: " + ", ".join(f"{counted[name]} {name}" for name in MUSTS),
        ]
    )


def main(arguments: Sequence[str]) -> int:
    """Run and print; 1 when something must not have happened, or nothing was delivered."""
    parser = argparse.ArgumentParser(prog="benchmarks/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--components", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20, help="records per second")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    # Whoever ends it ends all that it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with services.running() as addresses:
        os.environ.update(addresses)
        with running(given.components, given.rate) as soak:
            go(soak, seconds=given.minutes * 60, seed=given.seed)
            print(told(soak))
            counted, growth = soak.counted(), soak.growth().values()
    is_flat = all(one is None or one <= MOST_GROWTH for one in growth)
    is_sound = counted["records"] and not any(counted[name] for name in MUSTS)
    return 0 if is_sound and is_flat else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
