"""What a server holds, and whether it answers, while clients send too much or too slowly."""

import argparse
import contextlib
import http.client
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks import machine, report
from tests.serving import start_server

MIB = 1024 * 1024
MOST_GROWN, MOST_HEALTH = 16 * MIB, 1.0
LOOK_SECONDS, PIECE = 0.05, b"a" * 16_384
HEADINGS = ("flood", "clients", "sent MiB", "RSS +MiB", "asked", "answered", "slowest s", "verdict")
POST = b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)


@dataclass(frozen=True, slots=True)
class Flood:
    """
    Clients that say ``first`` and then ``again`` and again, as fast as the server takes it.

    With a ``pace`` they say it once in so many seconds. Whoever is cut off comes again.
    """

    name: str
    first: bytes
    again: bytes = b""
    pace: float = 0.0
    share: float = 1.0


FLOODS = (
    Flood("large body, declared", POST + b"Content-Length: 500000000\r\n\r\n", PIECE, share=0.1),
    Flood("large body, in chunks", POST + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK, share=0.1),
    Flood("slow body", POST + b"Content-Length: 2000000\r\n\r\n" + PIECE, b"a" * 512, 0.5),
    Flood("endless head", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", PIECE, share=0.1),
    Flood("slow head", b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-A: b\r\n", 0.5),
    Flood(
        "endless fields after chunks",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        PIECE,
        share=0.1,
    ),
    Flood("silent connections", b""),
)


@dataclass(slots=True)
class Result:
    """What one flood did: bytes sent, bytes grown at most, health asked and answered, seconds."""

    clients: int
    sent: int = 0
    grown: int = 0
    asked: int = 0
    answered: int = 0
    slowest: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether the server stayed small and answered in time whenever it was asked."""
        is_alive = self.asked == self.answered > 0 and self.slowest <= MOST_HEALTH
        return is_alive and self.grown <= MOST_GROWN


@dataclass(slots=True, eq=False)
class Client:
    """One connection of a flood, and from when on it says something."""

    raw: socket.socket
    pending: bytes
    due_at: float = 0.0


class Clients:
    """All connections of a flood in one thread."""

    def __init__(self, flood: Flood, address: tuple[str, int], count: int) -> None:
        self.flood, self.address = flood, address
        self.sent = 0
        self.all = [self.connected() for _ in range(count)]

    def connected(self) -> Client:
        """A new connection; it need not be there yet."""
        raw = socket.socket()
        raw.settimeout(0)
        raw.connect_ex(self.address)
        return Client(raw, self.flood.first)

    def round(self, now: float) -> None:
        """Let each say what it can."""
        for index, client in enumerate(self.all):
            if now >= client.due_at and not self.say(client, now):
                client.raw.close()
                self.all[index] = self.connected()

    def say(self, client: Client, now: float) -> bool:
        """Go on with one; whether its connection is still there."""
        try:
            if client.pending:
                count = client.raw.send(client.pending)
                self.sent += count
                client.pending = client.pending[count:]
            if not client.pending:
                client.pending, client.due_at = self.flood.again, now + self.flood.pace
            return client.raw.recv(65536) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        """Let all go."""
        for client in self.all:
            client.raw.close()


def run(flood: Flood, *, url: str, pid: int, clients: int, seconds: float) -> Result:
    """One flood for some seconds, with a question for health each tenth of a second."""
    parts = urlsplit(url)
    address = (str(parts.hostname), int(parts.port or 80))
    result = Result(max(int(clients * flood.share), 1))
    settle(address)
    before, flooding = machine.resident_bytes(pid), Clients(flood, address, result.clients)
    with contextlib.closing(flooding), asked(address, result) as ask:
        end_at = time.monotonic() + seconds
        while (now := time.monotonic()) < end_at:
            flooding.round(now)
            ask()
            result.grown = max(result.grown, machine.resident_bytes(pid) - before)
    result.sent = flooding.sent
    return result


def settle(address: tuple[str, int]) -> None:
    """Have everything imported and made that the first requests need."""
    for _ in range(5):
        for method, body in (("GET", None), ("POST", b"a" * 100_000)):
            connection = http.client.HTTPConnection(*address, timeout=10)
            connection.request(method, "/healthz", body=body)
            connection.getresponse().read()
            connection.close()


@contextlib.contextmanager
def asked(address: tuple[str, int], result: Result) -> Iterator[Callable[[], None]]:
    """Ask for health on connections of their own, without waiting here for the answer."""
    question = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    waiting: dict[socket.socket, float] = {}
    last = 0.0

    def hear(patience: float) -> None:
        for raw in list(waiting):
            with contextlib.suppress(BlockingIOError):
                raw.settimeout(patience)
                if raw.recv(4096).startswith(b"HTTP/1.1 200"):
                    result.answered += 1
                result.slowest = max(result.slowest, time.monotonic() - waiting.pop(raw))
                raw.close()

    def ask() -> None:
        nonlocal last
        hear(0)
        if time.monotonic() - last >= LOOK_SECONDS * 2:
            last = time.monotonic()
            raw = socket.create_connection(address, timeout=10)
            raw.sendall(question)
            waiting[raw], result.asked = last, result.asked + 1

    yield ask
    hear(10)


def measure(server: str, *, clients: int, seconds: float) -> list[tuple[Flood, Result]]:
    """Every flood against one server of its own process, one after the other."""
    ours, others = machine.cores()
    with (
        machine.pinned(ours),
        start_server("--server", server) as running,
        machine.pinned(others),
    ):
        found = []
        for flood in FLOODS:
            report.progress(f"{server}: {flood.name}")
            pid = running.process.pid
            one = run(flood, url=running.url, pid=pid, clients=clients, seconds=seconds)
            found.append((flood, one))
        return found


def line(flood: Flood, result: Result) -> list[str]:
    """A row of the table."""
    return [
        flood.name,
        str(result.clients),
        f"{result.sent / MIB:,.0f}",
        f"{result.grown / MIB:.1f}",
        str(result.asked),
        str(result.answered),
        f"{result.slowest:.2f}",
        "ok" if result.is_good else "MISSED",
    ]


def main(arguments: Sequence[str]) -> int:
    """Measure as asked; 1 when the default server missed a bound."""
    parser = argparse.ArgumentParser(prog="benchmarks/floods", description=__doc__)
    parser.add_argument("--clients", type=int, default=1000, help="connections of a flood")
    parser.add_argument("--seconds", type=float, default=20, help="how long each flood lasts")
    parser.add_argument("--server", choices=("uvicorn", "daphne"), default="uvicorn")
    options = parser.parse_args(arguments)
    rows = measure(options.server, clients=options.clients, seconds=options.seconds)
    print(f"{options.server}, {options.seconds:g} s each, at most 16 MiB more and 1 s for health\n")
    print(report.table(HEADINGS, [line(*row) for row in rows]))
    return 0 if all(result.is_good for _, result in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
