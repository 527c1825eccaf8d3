"""What a server of conversations has to do to be measured, and how it is spoken to."""

import contextlib
import http.client
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import orjson

Headers: TypeAlias = Mapping[str, str]

TOKENS = 50
"""Pieces in which the fake model of every server answers, without a pause."""

QUESTION = "What do you make of it?"
SECONDS = 120
IDLE_SECONDS = 2.0
JSON: Headers = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Heard:
    """
    A stream that came to its end, or was cut.

    ``first_seconds`` and ``last_seconds`` count from the request; ``last`` is what the client
    needs to go on behind the last event it has.
    """

    events: list[str]
    first_seconds: float
    last_seconds: float
    last: str = ""


class Chat(Protocol):
    """A server while it runs; ``pid`` is the process whose CPU time counts."""

    pid: int

    def create(self) -> str:
        """Make a session; its id."""
        ...

    def append(self, session: str) -> None:
        """Say something and wait for the whole answer."""
        ...

    def list(self) -> int:
        """Read the first page of sessions, or all where there are no pages; how many it held."""
        ...

    def open(self, session: str) -> int:
        """Read what a client shows first of a session; how many messages of it there were."""
        ...

    def history(self, session: str) -> int:
        """Read all messages of a session; how many there were."""
        ...

    def stream(self, session: str) -> Heard:
        """Say something and hear the answer piece by piece to its end."""
        ...

    def reconnect(self, session: str, *, after: int) -> tuple[Heard, Heard] | None:
        """
        Hear so many pieces, be cut off, and come back for the rest.

        None if the server has no way to come back.
        """
        ...


class Peer(Protocol):
    """A server that may be started; ``lacks`` says what is not installed, if anything."""

    @property
    def name(self) -> str: ...

    @property
    def lacks(self) -> str: ...

    def running(self) -> AbstractContextManager[Chat]: ...


@dataclass(slots=True)
class Caller:
    """One kept connection, as a program would have; no library between it and the bytes."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None
    _used_at: float = 0.0

    def call(
        self, method: str, path: str, body: bytes = b"", headers: Headers = MappingProxyType({})
    ) -> Any:
        """
        The JSON of an answer.

        :raises RuntimeError: when it is no success
        """
        answer = self._ask(method, path, body, headers)
        said = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")
        return orjson.loads(said) if said else None

    def hear(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Headers = MappingProxyType({}),
        *,
        at_most: int = 0,
    ) -> Heard:
        """
        The events of an answer that streams, each as its text; closed after ``at_most`` of them.

        :raises RuntimeError: when it is no success
        """
        began = time.perf_counter()
        with self._apart() as connection:
            connection.request(method, path, body or None, {**self.headers, **headers})
            answer = connection.getresponse()
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {answer.read()[:300]!r}")
            events: list[str] = []
            first = 0.0
            last = ""
            for event, identity in _events(answer):
                first = first or time.perf_counter() - began
                events.append(event)
                last = identity or last
                if len(events) == at_most:
                    break
        return Heard(events, first, time.perf_counter() - began, last)

    def _ask(
        self, method: str, path: str, body: bytes, headers: Headers
    ) -> http.client.HTTPResponse:
        now = time.monotonic()
        if self._connection is None or now - self._used_at > IDLE_SECONDS:
            # uvicorn closes what was left alone for five seconds.
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        self._connection.request(method, path, body or None, {**self.headers, **headers})
        answer = self._connection.getresponse()
        self._used_at = time.monotonic()
        return answer

    @contextlib.contextmanager
    def _apart(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            yield connection
        finally:
            connection.close()


def _events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
    data, identity = [], ""
    for line in answer:
        text = line.decode().rstrip("\r\n")
        if text.startswith("data:"):
            data.append(text[5:].lstrip())
        elif text.startswith("id:"):
            identity = text[3:].strip()
        elif not text and data:
            yield "\n".join(data), identity
            data, identity = [], ""


def form(**fields: str) -> tuple[bytes, dict[str, str]]:
    """Fields as multipart/form-data: the body and its header."""
    edge = "aegis-benchmark-edge"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join([*parts, f"--{edge}--\r\n"]).encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={edge}"}
