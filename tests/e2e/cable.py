"""A TCP relay between components and a server, which can be cut and mended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit


class Cable:
    """
    Carries connections to a server and knows which socket each of them is.

    ``is_broken`` refuses new connections; ``carried`` counts those that there were, by path.
    """

    def __init__(self, target: str) -> None:
        self.host, self.port = _place(target)
        self.url = ""
        self.is_broken = False
        self.carried: list[str] = []
        self._transports: dict[asyncio.StreamWriter, str] = {}
        self._next = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection, both ways, until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            if not self.is_broken:
                await self._relay(reader, writer)
        writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n")
        path = head.split()[1].decode()
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        self.carried.append(path)
        self._next.set()
        self._transports |= {writer: path, far_writer: path}
        far_writer.write(head)
        ways = (_pump(reader, far_writer), _pump(far_reader, writer))
        pumps = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for end in (writer, far_writer):
                self._transports.pop(end, None)
            far_writer.transport.abort()

    def cut(self, path: str = "/ws/") -> int:
        """Abort the connections whose path begins so; how many."""
        ends = [end for end, carried in self._transports.items() if carried.startswith(path)]
        for end in ends:
            end.transport.abort()
        return len(ends) // 2

    async def next_carried(self) -> None:
        """Wait for one more connection than there are now."""
        self._next.clear()
        async with asyncio.timeout(20):
            await self._next.wait()

    async def close(self) -> None:
        """Let nothing be carried any more."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


def _place(target: str) -> tuple[str, int]:
    parts = urlsplit(target)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@contextlib.asynccontextmanager
async def cable(target: str) -> AsyncIterator[Cable]:
    """A cable to the server at this URL; components are given its ``url``."""
    found = Cable(target)
    server = await asyncio.start_server(found.carry, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    found.url = f"http://{host}:{port}"
    async with server:
        try:
            yield found
        finally:
            await found.close()
