"""
Conversations with an agent, beside agno AgentOS and google-adk's api_server.

One server at a time on one core, one client on another; every server keeps its sessions in a SQLite
file, and its model says fifty words at once. Times are of one request after the other.
"""

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from benchmarks import machine, report
from benchmarks.chats.adk import Adk
from benchmarks.chats.aegis import Aegis
from benchmarks.chats.agno import Agno
from benchmarks.chats.base import TOKENS, Chat, Heard, Peer

CUT_AFTER = 10
WORD = re.compile(r"word\d+")


@dataclass(frozen=True, slots=True)
class Effort:
    """How many sessions and messages there are, how often each thing is done, how long filling may take."""

    sessions: Sequence[int]
    messages: int
    times: int
    fill_seconds: float


FULL = Effort(sessions=(0, 1_000, 10_000), messages=2_000, times=30, fill_seconds=240)
QUICK = Effort(sessions=(0, 200), messages=100, times=8, fill_seconds=20)


@dataclass(frozen=True, slots=True)
class Took:
    """One operation done several times: seconds each, and the CPU seconds of the server in all."""

    seconds: Sequence[float]
    cpu_seconds: float

    @property
    def middle_ms(self) -> float:
        return statistics.median(self.seconds) * 1000

    @property
    def slow_ms(self) -> float:
        """The 95th percentile."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)] * 1000

    @property
    def cpu_ms(self) -> float:
        return self.cpu_seconds / len(self.seconds) * 1000


@dataclass(slots=True)
class Measured:
    """What one server did; the key of a row is where it was measured, and the operation."""

    name: str
    rows: dict[tuple[str, str], Took] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def measure(peer: Peer, effort: Effort) -> Measured:
    """Fill one server step by step, and measure at each."""
    found = Measured(peer.name)
    _, core = machine.cores()
    with peer.running() as chat, machine.pinned(core):
        bench = Bench(chat, effort, found)
        there = 0
        for count in effort.sessions:
            report.progress(f"{peer.name}: {count:,} sessions")
            there = bench.fill_sessions(there, count)
            bench.short(f"{count:,} sessions")
        report.progress(f"{peer.name}: a session of {effort.messages:,} messages")
        bench.long()
    return found


@dataclass(slots=True)
class Bench:
    """One server under measurement."""

    chat: Chat
    effort: Effort
    found: Measured

    def fill_sessions(self, there: int, count: int) -> int:
        """Make sessions until there are so many, or the time is over; how many there are."""
        until = time.monotonic() + self.effort.fill_seconds
        while there < count and time.monotonic() < until:
            self.chat.create()
            there += 1
        if there < count:
            self.found.notes.append(f"only {there:,} of {count:,} sessions were made in time")
        return there

    def short(self, where: str) -> None:
        """What is done with sessions that hold little, while there are many."""
        chat = self.chat
        session = chat.create()
        chat.append(session)
        self._time(where, "create", chat.create)
        self._time(where, "append", lambda: chat.append(session))
        self._time(where, "list", chat.list)
        self._time(where, "open", lambda: chat.open(session))
        self._stream(where, session)

    def long(self) -> None:
        """What is done with one session that holds much."""
        chat, session = self.chat, self.chat.create()
        until = time.monotonic() + self.effort.fill_seconds
        said = 0
        while said < self.effort.messages and time.monotonic() < until:
            chat.append(session)
            said += 2
        where = f"{self.effort.messages:,} messages"
        held = chat.history(session)
        if said < self.effort.messages:
            self.found.notes.append(f"only {said:,} messages were said in time")
        self.found.notes.append(f"its long session is read with {held:,} entries")
        self._time(where, "open", lambda: chat.open(session))
        self._time(where, "history", lambda: chat.history(session))
        self._time(where, "append", lambda: chat.append(session))
        self._stream(where, session)
        self._reconnect(where, session)

    def _time(self, where: str, what: str, act: Callable[[], object]) -> None:
        act()
        cpu, seconds = machine.cpu_seconds(self.chat.pid), []
        for _ in range(self.effort.times):
            began = time.perf_counter()
            act()
            seconds.append(time.perf_counter() - began)
        spent = machine.cpu_seconds(self.chat.pid) - cpu
        self.found.rows[where, what] = Took(seconds, spent)

    def _stream(self, where: str, session: str) -> None:
        self.chat.stream(session)
        cpu = machine.cpu_seconds(self.chat.pid)
        heard = [self.chat.stream(session) for _ in range(self.effort.times)]
        spent = machine.cpu_seconds(self.chat.pid) - cpu
        self.found.rows[where, "first token"] = Took([one.first_seconds for one in heard], spent)
        self.found.rows[where, "stream"] = Took([one.last_seconds for one in heard], spent)
        short = [one for one in heard if len(_words(one.events[:-1])) < TOKENS]
        if short:
            self.found.notes.append(f"{len(short)} streams ended early")

    def _reconnect(self, where: str, session: str) -> None:
        seconds, lost, doubled = [], 0, 0
        cpu = machine.cpu_seconds(self.chat.pid)
        for _ in range(self.effort.times):
            halves = self.chat.reconnect(session, after=CUT_AFTER)
            if halves is None:
                self.found.notes.append("a run cannot be come back to")
                return
            seconds.append(halves[1].first_seconds)
            missing, again = _faults(*halves)
            lost, doubled = lost + missing, doubled + again
        spent = machine.cpu_seconds(self.chat.pid) - cpu
        self.found.rows[where, "reconnect"] = Took(seconds, spent)
        self.found.notes.append(f"after a cut: {lost} words lost, {doubled} doubled")


def _words(events: Sequence[str]) -> set[str]:
    # Models number their words from 0 or from 1.
    return {word for event in events for word in WORD.findall(event)}


def _faults(first: Heard, second: Heard) -> tuple[int, int]:
    # The last event of all may tell the whole text again.
    before, after = _words(first.events), _words(second.events[:-1])
    return TOKENS - len(before | after), len(before & after)


def shown(found: Sequence[Measured]) -> str:
    """The tables: medians, 95th percentiles and CPU, and who is ahead."""
    names = [one.name for one in found]
    keys = list(dict.fromkeys(key for one in found for key in one.rows))
    head = ["at", "operation", *(f"{name} p50/p95 ms" for name in names)]
    lines = []
    for where, what in keys:
        cells = [_cell(one.rows.get((where, what))) for one in found]
        lines.append([where, what, *cells, _ahead(found, (where, what))])
    parts = [report.header(), report.quietness()]
    parts.append(report.table([*head, "Aegis"], lines))
    cpu = [[*key, *(_cpu(one.rows.get(key)) for one in found)] for key in keys]
    parts.append("CPU of the server, ms for each")
    parts.append(report.table(["at", "operation", *names], cpu))
    parts += [f"{one.name}: {note}" for one in found for note in one.notes]
    return "\n\n".join(parts)


def _cell(took: Took | None) -> str:
    return "none" if took is None else f"{took.middle_ms:.1f} / {took.slow_ms:.1f}"


def _cpu(took: Took | None) -> str:
    return "none" if took is None else f"{took.cpu_ms:.1f}"


def _ahead(found: Sequence[Measured], key: tuple[str, str]) -> str:
    """How many times faster than the fastest of the others; below 1 it is behind."""
    ours, *others = found
    mine = ours.rows.get(key)
    theirs = [one.rows[key].middle_ms for one in others if key in one.rows]
    if mine is None or not theirs:
        return "alone" if mine else "–"
    ratio = min(theirs) / mine.middle_ms
    return f"{ratio:.1f}x" if ratio >= 1 else f"BEHIND {ratio:.2f}x"


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    options = options_of(arguments)
    effort = QUICK if options.quick else FULL
    if options.fill:
        effort = replace(effort, fill_seconds=options.fill)
    peers: list[Peer] = [Aegis(), Agno(options.peers), Adk(options.peers)]
    lacking = {peer.name: peer.lacks for peer in peers if peer.lacks}
    found = [measure(peer, effort) for peer in peers if peer.name not in lacking]
    print(shown(found))
    for name, why in lacking.items():
        print(f"\n{name} did not run: {why}")
    if options.json:
        rows = [
            {"server": one.name, "at": where, "operation": what, "p50_ms": took.middle_ms}
            | {"p95_ms": took.slow_ms, "cpu_ms": took.cpu_ms}
            for one in found
            for (where, what), took in one.rows.items()
        ]
        Path(options.json).write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    return 0


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """What somebody asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks/agents", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few sessions, few messages")
    parser.add_argument("--fill", type=float, help="seconds that filling may take at each step")
    parser.add_argument("--json", metavar="FILE", help="the figures for programs")
    parser.add_argument(
        "--peers",
        metavar="FOLDER",
        default="",
        help="where the environments `agno` and `adk` of the others are",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
