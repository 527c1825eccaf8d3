"""Heads of requests: how large, how slow and how many at a time they may be."""

import asyncio
from typing import Any

import pytest

from sessions.management import limits
from tests.inside import serving
from tests.waiting import until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
CHUNKS = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


async def answer(receive: Any, send: Any) -> None:
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    if message["type"] == "http.request":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = int(url.rstrip("/").rpartition(":")[2])
    return await asyncio.open_connection("127.0.0.1", port)


async def said(url: str, *parts: bytes) -> bytes:
    """The first line that comes back; nothing if the connection just ends."""
    reader, writer = await connected(url)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    "parts",
    [
        (GET, b"X: " + b"a" * limits.MAX_HEAD_BYTES * 8),
        (GET, b"X: a\r\n" * limits.MAX_HEAD_BYTES),
        (b"GET /" + b"a" * limits.MAX_HEAD_BYTES * 8,),
    ],
    ids=["one field", "many fields", "address"],
)
async def test_a_head_without_end_is_refused(parts: tuple[bytes, ...]):
    async with serving(answer) as (_, url):
        found = await said(url, *parts)

    assert found in {b"HTTP/1.1 431 Request Header Fields Too Large\r\n", b""}


async def test_fields_without_end_after_a_body_in_chunks_end_the_connection():
    async with serving(answer) as (_, url):
        found = await said(url, CHUNKS, b"0\r\nX: ", b"a" * limits.MAX_HEAD_BYTES * 8)

    assert found == b""


async def test_a_body_may_be_larger_than_a_head():
    piece = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
    async with serving(answer) as (_, url):
        found = await said(url, CHUNKS, *[piece] * 40, b"0\r\n\r\n")

    assert found == b"HTTP/1.1 204 No Content\r\n"


async def test_a_head_that_does_not_come_in_time_is_answered_so(monkeypatch: pytest.MonkeyPatch):
    async with serving(answer) as (_, url):
        reader, writer = await connected(url)
        writer.write(GET + b"\r\n")
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(GET)
        monkeypatch.setattr(limits, "HEAD_SECONDS", 0)

        rest = await reader.read()

        writer.close()
    assert first.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert rest.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


async def test_of_too_many_that_say_nothing_the_oldest_has_to_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MOST_WAITING", 2)
    async with serving(answer) as (server, url):
        first, *others = [await connected(url) for _ in range(2)]
        await until(lambda: len(server.server_state.connections) == 2)
        third = await connected(url)

        gone = await first[0].read()
        third[1].write(GET + b"\r\n")
        found = await third[0].readline()

        for _, writer in (first, *others, third):
            writer.transport.abort()
    assert (gone, found) == (b"", b"HTTP/1.1 204 No Content\r\n")
