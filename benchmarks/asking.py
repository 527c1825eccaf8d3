"""Requests that go on while something happens to the servers, and what became of each."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import orjson

from tests.serving import Running

THREADS, PAUSE_SECONDS, REQUEST_SECONDS = 4, 0.05, 30.0
LOST, REFUSED = 0, 1
NO_ANSWERS = {LOST: "no answer", REFUSED: "no connection"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: when it was sent and answered, and how; below 100 are no answers at all."""

    sent_at: float
    at: float
    status: int
    can_retry: bool

    @property
    def is_well(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Load:
    """
    Threads that list and make sessions at one server after the other, until they are stopped.

    Behind a proxy, what a server does not take (503, or no connection) is tried at the other. What
    it took and did not answer is not.
    """

    servers: Sequence[Running]
    is_behind_proxy: bool = False
    samples: list[Sample] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._go, args=(n,)) for n in range(THREADS)]
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for one in self._threads:
            one.join()

    def _go(self, number: int) -> None:
        turn = number
        while not self._is_over.wait(PAUSE_SECONDS):
            turn += 1
            self.samples.append(self._ask(turn))

    def _ask(self, turn: int) -> Sample:
        sent_at = time.monotonic()
        status, can_retry = request(self.servers[turn % 2], turn)
        if self.is_behind_proxy and status in {REFUSED, 503}:
            status, can_retry = request(self.servers[(turn + 1) % 2], turn)
        return Sample(sent_at, time.monotonic(), status, can_retry)

    def counted(self) -> Counter[str]:
        """How many were answered how."""
        return Counter(named(one) for one in self.samples)


def request(server: Running, turn: int) -> tuple[int, bool]:
    """The status of one request on a connection of its own, and whether it says when to come back."""
    body = orjson.dumps({"name": f"faults {turn}"}) if turn % 3 == 0 else None
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    http = HTTPConnection(urlsplit(server.url).netloc, timeout=REQUEST_SECONDS)
    with contextlib.closing(http):
        try:
            path = "/api/v1/sessions" if body else "/api/v1/sessions?limit=5"
            http.request("POST" if body else "GET", path, body, headers)
            answer = http.getresponse()
            answer.read()
        except ConnectionRefusedError:
            return REFUSED, False
        except (OSError, HTTPException):
            return LOST, False
        return answer.status, answer.getheader("Retry-After") is not None


def named(one: Sample) -> str:
    """A kind of answer in a word or two."""
    if one.is_well:
        return "well"
    if one.status in NO_ANSWERS:
        return NO_ANSWERS[one.status]
    return f"{one.status}{' + Retry-After' if one.can_retry else ''}"
