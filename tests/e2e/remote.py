"""What the end-to-end tests use of a server: HTTP from a thread, raw sockets, SDK components."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from components.core.reconnect import Backoff
from components.sdk import Component, Gap, Receipt, Record, Subscription
from tests.serving import Running

T = TypeVar("T")

SECONDS = 40.0
QUICK = Backoff(base_seconds=0.05, most_seconds=0.2)


# HTTP


@dataclass(frozen=True)
class Answer:
    """The status and the decoded body of a response."""

    status: int
    body: Any


def send(
    running: Running,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    is_chunked: bool = False,
) -> Answer:
    """
    One request, answered in this thread.

    Without ``headers`` it has the bearer secret of the server and the type of JSON.
    """
    raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    netloc = urlsplit(running.url).netloc
    bearer = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json"}
    with contextlib.closing(HTTPConnection(netloc, timeout=SECONDS + 10)) as http:
        sent = _chunks(raw or b"") if is_chunked else raw
        given = bearer if headers is None else headers
        http.request(method, path, sent, given, encode_chunked=is_chunked)
        response = http.getresponse()
        text = response.read()
    return Answer(response.status, json.loads(text) if text else None)


def _chunks(raw: bytes) -> Iterator[bytes]:
    for start in range(0, len(raw), 65_536):
        yield raw[start : start + 65_536]


async def ask(running: Running, method: str, path: str, body: Any = None) -> Answer:
    """One request, while the loop goes on."""
    return await asyncio.to_thread(send, running, method, path, body)


async def download(running: Running, path: str) -> str:
    """The text of a file."""
    return await asyncio.to_thread(_download, running, path)


def _download(running: Running, path: str) -> str:
    netloc = urlsplit(running.url).netloc
    with contextlib.closing(HTTPConnection(netloc, timeout=SECONDS + 10)) as http:
        http.request("GET", path, headers={"Authorization": f"Bearer {running.token}"})
        response = http.getresponse()
        assert response.status == 200
        return response.read().decode()


async def order(running: Running, session: str, verb: str, body: Any = None) -> Any:
    """Move the lever of a session; its document."""
    answer = await ask(running, "POST", f"/api/v1/sessions/{session}/{verb}", body or {})
    assert answer.status == 200, answer
    return answer.body


async def make(running: Running, **given: Any) -> Any:
    """A new session with a token, as its document."""
    answer = await ask(running, "POST", "/api/v1/sessions", {**given, "token": True})
    assert answer.status == 201, answer
    return answer.body


async def session(running: Running, session_id: str) -> Any:
    """The document of a session."""
    return (await ask(running, "GET", f"/api/v1/sessions/{session_id}")).body


async def components(running: Running, session_id: str) -> dict[str, Any]:
    """The documents of a session's components, by name."""
    answer = await ask(running, "GET", f"/api/v1/sessions/{session_id}/components")
    return {one["name"]: one for one in answer.body["data"]}


async def events(running: Running, session_id: str) -> list[Any]:
    """The whole ledger of a session."""
    found: list[Any] = []
    while True:
        path = f"/api/v1/sessions/{session_id}/events?after={len(found)}&limit=200"
        page = (await ask(running, "GET", path)).body["data"]
        if not page:
            return found
        found += page


async def publish(running: Running, session_id: str, topic: str, *data: Any) -> None:
    """Publish records over HTTP."""
    records = {"records": [{"data": one} for one in data]}
    path = f"/api/v1/sessions/{session_id}/topics/{topic}"
    answer = await ask(running, "POST", path, records)
    assert answer.status == 201, answer


async def until(condition: Callable[[], Any], *, seconds: float = SECONDS) -> Any:
    """What the condition gives, awaited if need be, as soon as that is true; it has so long."""
    give_up_at = time.monotonic() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < give_up_at, f"Not within {seconds} s: {condition}"
        await asyncio.sleep(0.01)


def assert_no_traceback(running: Running) -> None:
    """Nothing failed in the server that it did not expect."""
    assert "Traceback" not in running.log(), running.log()[-4000:]


# Raw sockets


class Socket:
    """A socket of which every frame is kept, in the order in which they came."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.raw: list[str] = []
        self.code: int | None = None
        self._taken = 0
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self.connection:
                self.raw.append(str(message))
        self.code = self.connection.close_code

    @property
    def frames(self) -> list[Any]:
        return [json.loads(text) for text in self.raw]

    @property
    def is_waiting(self) -> bool:
        """Whether a frame has come that was not asked for yet."""
        return len(self.raw) > self._taken

    async def say(self, frame: Any) -> None:
        """Send an object as JSON, a text or bytes as they are."""
        message = frame if isinstance(frame, str | bytes) else json.dumps(frame)
        await self.connection.send(message)

    async def next(self) -> Any:
        """The next frame but those that come with time, a server that is slow enough given."""
        while (frame := await self._any()).get("COMMAND") in {"HEARTBEAT", "POS"}:
            pass
        return frame

    async def _any(self) -> Any:
        """The frame after the last one that was asked for."""
        await until(lambda: self.is_waiting or self._reader.done())
        assert self.is_waiting, f"Closed {self.code} after {self.raw[-3:]}"
        self._taken += 1
        return json.loads(self.raw[self._taken - 1])

    async def hear(self, command: str) -> Any:
        """The next frame with this COMMAND; those before it are passed over."""
        while (frame := await self._any()).get("COMMAND") != command:
            pass
        return frame

    async def closed(self) -> int | None:
        """The close code, once the server has closed."""
        async with asyncio.timeout(SECONDS):
            await asyncio.wait([self._reader])
        return self.code

    async def close(self) -> None:
        await self.connection.close()
        await self._reader

    def abort(self) -> None:
        """End the TCP connection without a word."""
        self.connection.transport.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@contextlib.asynccontextmanager
async def opened(running: Running, path: str) -> AsyncIterator[Socket]:
    """A raw socket to `control` or `data`."""
    url = f"{running.ws_url}/ws/{path}"
    made = connect(url, max_queue=None, compression=None, proxy=None)
    async with made as connection, Socket(connection) as socket:
        yield socket


# Components of the SDK


class Member:
    """A component of the SDK that keeps everything it is given, by default a sink."""

    def __init__(
        self,
        url: str,
        token: str,
        name: str = "",
        topics: Sequence[str | Subscription] = (),
        **options: Any,
    ) -> None:
        given = {"url": url, "token": token, "role": "sink", "backoff": QUICK, **options}
        self.component = Component(name, topics=topics, **given)
        self.events: list[Any] = []
        self.error: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._due: list[tuple[int, Callable[[], object]]] = []

    def after(self, count: int, action: Callable[[], object]) -> None:
        """Do something as soon as so many events have come; given in the order of the counts."""
        self._due.append((count, action))

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._collect())
        return self

    async def _collect(self) -> None:
        try:
            async for batch in self.component.batches():
                self.events += batch.events
                while self._due and len(self.events) >= self._due[0][0]:
                    self._due.pop(0)[1]()
        except Exception as error:  # noqa: BLE001 -- the test asks for it
            self.error = error

    async def __aexit__(self, *_: object) -> None:
        await self.component.close()
        assert self._task is not None
        await self._task

    async def over(self) -> None:
        """Wait until the session has let it go."""
        assert self._task is not None
        async with asyncio.timeout(60):
            await asyncio.wait([self._task])
        assert self.error is None, self.error

    async def runs(self) -> None:
        """Wait until it runs."""
        async with asyncio.timeout(SECONDS):
            assert await self.component.running()

    def of(self, kind: type[T]) -> list[T]:
        return [one for one in self.events if type(one) is kind]

    @property
    def records(self) -> list[Record]:
        return self.of(Record)

    @property
    def gaps(self) -> list[Gap]:
        return self.of(Gap)

    @property
    def receipts(self) -> dict[str, Receipt]:
        return {one.topic: one for one in self.of(Receipt)}
