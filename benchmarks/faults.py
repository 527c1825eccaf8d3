"""What clients notice of a PostgreSQL that restarts, a Valkey that is away, and a deploy under load."""

import argparse
import asyncio
import contextlib
import logging
import math
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

from benchmarks import report
from benchmarks.asking import PAUSE_SECONDS, Load
from benchmarks.pair import Place, begin, placed
from tests import services
from tests.e2e import remote
from tests.e2e.remote import Socket
from tests.serving import Running

BEFORE_SECONDS, AFTER_SECONDS = 3.0, 8.0
SOCKETS, LOOK_SECONDS, HEAL_SECONDS = 20, 0.1, 45.0
TOPIC = "prices.BTC"
# The bars of the table of quality.
BACK_SECONDS, STALL_SECONDS, DEPLOY_SECONDS = 2.0, 3.0, 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was measured of one fault, and whether it is within its bar."""

    fault: str
    figures: list[str]
    is_within: bool


# PostgreSQL


def postgres(place: Place, *, down_seconds: float) -> Verdict:
    """Restart PostgreSQL under load."""
    with Load(place.servers) as load:
        wait(BEFORE_SECONDS)
        place.database.stop()
        wait(down_seconds)
        place.database.start()
        ready_at = time.monotonic()
        wait(AFTER_SECONDS)
    back = min(
        (one.at for one in load.samples if one.is_well and one.sent_at >= ready_at), default=None
    )
    first = min(
        (one.at for one in load.samples if one.is_well and one.at >= ready_at), default=None
    )
    last_bad = max((one.at for one in load.samples if not one.is_well), default=ready_at)
    counted = load.counted()
    odd = set(counted) - {"well", "503 + Retry-After"}
    slowest = max(one.at - one.sent_at for one in load.samples)
    lasting = all(one.process.poll() is None for one in place.servers)
    figures = [
        f"answers: {dict(counted)}",
        f"first success {seconds(first, ready_at)} after it was ready, the last failure "
        f"{last_bad - ready_at:.2f} s",
        f"slowest answer {slowest:.1f} s; processes ended: {0 if lasting else 'some'}",
    ]
    is_back = back is not None and first is not None and first - ready_at <= BACK_SECONDS
    name = f"PostgreSQL away for {down_seconds:.0f} s"
    return Verdict(name, figures, not odd and is_back and lasting)


def wait(lasting: float) -> None:
    """Let the load go on for so many seconds."""
    time.sleep(lasting)  # noqa: TID251 -- what is measured takes its time


def seconds(at: float | None, since: float) -> str:
    """A time in words."""
    return "never" if at is None else f"{at - since:.2f} s"


# Valkey


def valkey(place: Place, *, down_seconds: float) -> Verdict:
    """Take Valkey away under load, and give it back."""
    return asyncio.run(_valkey(place, down_seconds=down_seconds))


async def _valkey(place: Place, *, down_seconds: float) -> Verdict:
    first, second = place.servers
    made = await remote.make(first, components=["sink"])
    sink = remote.Member(second.url, made["session_token"], "sink", [TOPIC])
    async with sink:
        await remote.order(first, made["id"], "start?wait=20")
        await remote.publish(first, made["id"], TOPIC, 0)
        await remote.until(lambda: sink.records)
        with Load(place.servers) as load:
            ledger = asyncio.create_task(_stalls(first, second, down_seconds + BEFORE_SECONDS))
            await asyncio.sleep(BEFORE_SECONDS)
            await asyncio.to_thread(place.valkey.kill)
            await asyncio.sleep(down_seconds)
            await asyncio.to_thread(place.valkey.start)
            back_at = time.monotonic()
            heal = await _heals(first, made["id"], sink) - back_at
            stalls = await ledger
            state = (await remote.session(first, made["id"]))["state"]
    counted = load.counted()
    figures = [
        f"answers of the control API: {dict(counted)}",
        f"events of a ledger made at one server and read at the other while it was away: "
        f"{len(stalls)}, the middle after {statistics.median(stalls):.2f} s, the last to come "
        f"after {max(stalls):.2f} s",
        f"a fast topic flows again {heal:.2f} s after it was back; the session is {state}, gaps "
        f"that were told: {len(sink.gaps)}",
    ]
    is_within = set(counted) == {"well"} and max(stalls) <= STALL_SECONDS and heal <= STALL_SECONDS
    return Verdict(f"Valkey away for {down_seconds:.0f} s", figures, is_within)


async def _stalls(writer: Running, reader: Running, lasting: float) -> list[float]:
    """How long each event takes from a command at one server to a follower at the other."""
    made = await remote.make(writer)
    found = []
    over = time.monotonic() + lasting
    follower = Follower(reader, made["id"])
    follower.start()
    await remote.until(follower.came.is_set)
    while time.monotonic() < over:
        for verb in ("start", "pause"):
            follower.came.clear()
            sent_at = time.monotonic()
            await remote.order(writer, made["id"], verb)
            await remote.until(follower.came.is_set)
            found.append(time.monotonic() - sent_at)
        await asyncio.sleep(PAUSE_SECONDS)
    await remote.order(writer, made["id"], "end")
    return found


class Follower(threading.Thread):
    """Reads the ledger of a session as server-sent events; ``came`` is set with each."""

    def __init__(self, server: Running, session: str) -> None:
        super().__init__(daemon=True)
        self.came = threading.Event()
        self._server, self._path = server, f"/api/v1/sessions/{session}/events"

    def run(self) -> None:
        """Read until the session is over."""
        bearer = {"Authorization": f"Bearer {self._server.token}", "Accept": "text/event-stream"}
        http = HTTPConnection(urlsplit(self._server.url).netloc, timeout=120)
        with contextlib.closing(http):
            http.request("GET", self._path, headers=bearer)
            for line in http.getresponse():
                if line.startswith(b"id:"):
                    self.came.set()


async def _heals(server: Running, session: str, sink: remote.Member) -> float:
    """When the first of those records is there that are published one after the other from now on."""
    path = f"/api/v1/sessions/{session}/topics/{TOPIC}"
    number, give_up_at = 0, time.monotonic() + HEAL_SECONDS
    while not any(str(one.data).startswith("after") for one in sink.records):
        number += 1
        await remote.ask(server, "POST", path, {"records": [{"data": f"after {number}"}]})
        if time.monotonic() > give_up_at:
            return math.inf
        await asyncio.sleep(LOOK_SECONDS)
    return time.monotonic()


# A deploy


def deploy(place: Place) -> Verdict:
    """End each server after the other under load, and start it again where it was."""
    return asyncio.run(_deploy(place))


async def _deploy(place: Place) -> Verdict:
    untold, took = 0, []
    with Load(place.servers, is_behind_proxy=True) as load:
        await asyncio.sleep(BEFORE_SECONDS)
        for number in range(len(place.servers)):
            async with contextlib.AsyncExitStack() as stack:
                sockets = await _crowd(stack, place.servers[number])
                began = time.monotonic()
                code = await asyncio.to_thread(place.servers[number].stop)
                took.append(time.monotonic() - began)
                untold += sum([not await _was_told(one) for one in sockets]) + (code != 0)
            await asyncio.to_thread(begin, place.servers[number])
            await asyncio.sleep(BEFORE_SECONDS)
    counted = load.counted()
    figures = [
        f"requests: {dict(counted)}; what a server did not take was tried at the other, as a proxy "
        "does",
        f"sockets that were not told before they were closed: {untold} of "
        f"{SOCKETS * len(place.servers)}",
        f"from SIGTERM to the end: {', '.join(f'{one:.1f} s' for one in took)}",
    ]
    is_within = set(counted) == {"well"} and not untold and max(took) <= DEPLOY_SECONDS
    return Verdict("deploy under load", figures, is_within)


async def _crowd(stack: contextlib.AsyncExitStack, server: Running) -> list[Socket]:
    """Control sockets of components that are READY."""
    made = await remote.make(server)
    sockets = []
    for number in range(SOCKETS):
        socket = await stack.enter_async_context(remote.opened(server, "control"))
        own = {"session_token": made["session_token"], "name": f"c{number}", "proto": {"v": 1}}
        await socket.say({**own, "topics": [TOPIC]})
        await socket.hear("ACK")
        sockets.append(socket)
    return sockets


async def _was_told(socket: Socket) -> bool:
    code = await socket.closed()
    return code == 4200 and any(frame.get("COMMAND") == "DRAIN" for frame in socket.frames)


def tell(one: Verdict) -> None:
    """Print what was measured, at once: the next fault may take minutes."""
    sys.stdout.write(f"\n{one.fault}: {'within' if one.is_within else 'BEYOND'} the bar\n")
    sys.stdout.write("".join(f"  {line}\n" for line in one.figures))
    sys.stdout.flush()


FAULTS = ("postgres", "valkey", "deploy")


def main(arguments: Sequence[str]) -> int:
    """Measure; the exit code is 1 when a figure is beyond its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", default=FAULTS, help=", ".join(FAULTS))
    parser.add_argument("--down", type=float, default=60.0, help="seconds that Valkey is away")
    parser.add_argument("--restart", type=float, default=20.0, help="seconds of PostgreSQL's")
    asked = parser.parse_args(arguments)
    acts: dict[str, Callable[[Place], Verdict]] = {
        "postgres": lambda place: postgres(place, down_seconds=asked.restart),
        "valkey": lambda place: valkey(place, down_seconds=asked.down),
        "deploy": deploy,
    }
    # What its components are told of the store, again and again, is no figure.
    logging.disable(logging.WARNING)
    found = []
    with services.running() as given:
        os.environ.update(given)
        for name in asked.faults:
            report.progress(f"starting two servers for: {name}")
            with placed() as place:
                found.append(acts[name](place))
            tell(found[-1])
    return 0 if all(one.is_within for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
