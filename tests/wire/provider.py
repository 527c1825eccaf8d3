"""A provider of models on the loopback that behaves as it is told, also badly."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

MODEL = "gpt-4o-mini"


@dataclass
class Asked:
    """A request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: Any


@dataclass
class Wire:
    """One connection, on which a behaviour writes what it likes."""

    asked: Asked
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    async def head(self, status: str = "200 OK", **headers: str) -> None:
        named = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        await self.send(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode())

    async def part(self, text: str) -> None:
        """One chunk of a chunked body."""
        raw = text.encode()
        await self.send(b"%x\r\n%s\r\n" % (len(raw), raw))

    async def event(self, data: Any) -> None:
        await self.part(f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n")

    async def finish(self) -> None:
        await self.event("[DONE]")
        await self.send(b"0\r\n\r\n")

    async def refuse(self, status: str, body: Any, **headers: str) -> None:
        """A whole answer that is an error."""
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        named = {"content-type": "application/json", "content-length": str(len(raw))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        await self.send(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + raw)


Behaviour = Callable[[Wire], Awaitable[None]]


@dataclass
class Provider:
    """Behaves in one way per request, in the last way ever after."""

    behaviours: list[Behaviour]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            asked = await read(reader)
            self.asked.append(asked)
            place = min(len(self.asked), len(self.behaviours)) - 1
            await self.behaviours[place](Wire(asked, reader, writer))
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()


async def read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *rest = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(line=line, headers=headers, body=json.loads(raw or b"null"))


@asynccontextmanager
async def provider(*behaviours: Behaviour) -> AsyncIterator[Provider]:
    """A provider that listens until the block ends, and leaves nothing behind."""
    found = Provider(list(behaviours))
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        for task in found.tasks:
            task.cancel()
        await asyncio.gather(*found.tasks, return_exceptions=True)


# What a provider says in the interface of OpenAI


def chunk(delta: dict[str, Any], *, reason: str | None = None, **more: Any) -> dict[str, Any]:
    """One piece of a streamed answer."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": [choice],
        **more,
    }


def text(content: str) -> dict[str, Any]:
    return chunk({"content": content})


def call(place: int, *, id: str = "", name: str = "", arguments: str = "") -> dict[str, Any]:  # noqa: A002 -- the field's name
    """A fragment of a tool call."""
    function = {"arguments": arguments} | ({"name": name} if name else {})
    known = {"id": id, "type": "function"} if id else {}
    return chunk({"tool_calls": [{"index": place, **known, "function": function}]})


def usage(given: int, made: int) -> dict[str, Any]:
    counted = {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}
    return chunk({}) | {"choices": [], "usage": counted}


# Behaviours


def says(*events: Any, reason: str = "stop", pause: float = 0.0) -> Behaviour:
    """Streams these events and ends as it should; with a pause it drips."""

    async def behave(wire: Wire) -> None:
        await wire.head()
        await wire.event(chunk({"role": "assistant", "content": ""}))
        for one in events:
            await asyncio.sleep(pause)
            await wire.event(one)
        await wire.event(chunk({}, reason=reason))
        await wire.event(usage(11, 7))
        await wire.finish()

    return behave


def words(*said: str, **how: Any) -> Behaviour:
    return says(*(text(one) for one in said), **how)


def fails(status: str, body: Any, **headers: str) -> Behaviour:
    """Answers with this status and body."""

    async def behave(wire: Wire) -> None:
        await wire.refuse(status, body, **headers)

    return behave


def hangs(*events: Any, is_begun: bool = True) -> Behaviour:
    """Says so much, then nothing more, until the other side hangs up."""

    async def behave(wire: Wire) -> None:
        if is_begun:
            await wire.head()
        for one in events:
            await wire.event(one)
        await wire.reader.read()

    return behave


def raw(*parts: bytes) -> Behaviour:
    """Writes these bytes and hangs up."""

    async def behave(wire: Wire) -> None:
        for one in parts:
            await wire.send(one)

    return behave


def breaks_off(*events: Any, tail: str = "") -> Behaviour:
    """Says so much and hangs up in the middle of a chunk."""

    async def behave(wire: Wire) -> None:
        await wire.head()
        for one in events:
            await wire.event(one)
        await wire.send(b"fff\r\n" + tail.encode())

    return behave
