"""A component that knows only the protocol of seed 000 and the websockets library."""

import asyncio
import contextlib
import json
import os
import sys
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

TOKEN = os.environ.get("AEGIS_SESSION_TOKEN", "")
SERVER = urlsplit(os.environ.get("AEGIS_URL", "http://127.0.0.1:8000"))
SCHEME = "wss" if SERVER.scheme in {"https", "wss"} else "ws"
TOPICS = sys.argv[1:] or ["klines.BTCUSDT.1m", "orderbook.BTCUSDT"]


def url(path: str) -> str:
    return f"{SCHEME}://{SERVER.netloc}{path}"


async def say(socket: Any, frame: dict[str, Any]) -> None:
    await socket.send(json.dumps(frame))


async def hear(socket: Any, command: str) -> None:
    """Wait for one COMMAND; what else comes means nothing to this client."""
    while json.loads(await socket.recv()).get("COMMAND") != command:
        pass


async def listen(socket: Any) -> None:
    """Read the control socket, so that its heartbeats do not pile up."""
    async for _ in socket:
        pass


async def follow(socket: Any) -> None:
    """Print records until every topic has ended or the server closes."""
    open_topics = set(TOPICS)
    while open_topics:
        frame = json.loads(await socket.recv())
        if frame.get("COMMAND") == "END":
            open_topics.discard(frame["topic"])
            print(f"{frame['topic']}: end at {frame['seq']}", flush=True)
        elif "COMMAND" not in frame:
            print(frame["topic"], frame["seq"], json.dumps(frame["data"]), flush=True)


async def main() -> None:
    async with connect(url("/ws/control")) as control, connect(url("/ws/data")) as data:
        await say(control, {"session_token": TOKEN, "topics": TOPICS})
        await hear(control, "ACK")
        await say(data, {"session_token": TOKEN})
        await hear(data, "ACK")
        await say(control, {"COMMAND": "READY"})
        listening = asyncio.create_task(listen(control))
        try:
            await follow(data)
        except ConnectionClosed as closed:
            print(f"closed: {closed}", flush=True)
        finally:
            listening.cancel()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
