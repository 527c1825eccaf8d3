"""Two sessions beside the story: metrics, driven by seed 001, and a chat, driven by seed 002."""

import argparse
import asyncio
import itertools
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
import websockets

from sessions.core.flash_dip import words
from sessions.management.programs import options
from sessions.management.programs.rest import Refused, Rest, is_gone

METRICS = "demo-metrics"
# Seconds of the story between two words.
CHANGE_SECONDS, REST_SECONDS, ASK_SECONDS = 60.0, 5.0, 45.0
QUESTIONS = (
    "My name is Ada.",
    "What is an order book?",
    "Give me 3 examples.",
    "What is my name?",
)


class Metrics:
    """A session that knows nothing but the interface of seed 001."""

    def __init__(self, told: argparse.Namespace) -> None:
        self._rest = Rest()
        self._speed = told.speed

    async def run(self) -> None:
        """Be there, and rest now and then; it ends when somebody ended the session."""
        if not await self._begin():
            return
        for state in itertools.cycle(("running", "paused")):
            if not await self._move(state):
                return
            seconds = CHANGE_SECONDS if state == "running" else REST_SECONDS
            await asyncio.sleep(seconds / self._speed)

    async def _begin(self) -> bool:
        context = {"agents": ["MetricsAgent"], "additionalSettings": {"demo": True}}
        body = {"sessionType": "metrics", "sessionId": METRICS, "context": context}
        try:
            await self._ask("POST", "agent-sessions", body=body)
        except Refused as refusal:
            # It was made by an earlier run, or is somebody else's and then not ours to move.
            return refusal.status == HTTPStatus.CONFLICT and await self._is_ours()
        await self._ask("POST", "sessions", METRICS, "tags", body={"tags": [words.TAG]})
        return True

    async def _is_ours(self) -> bool:
        found = await self._ask("GET", "agent-sessions", METRICS)
        settings = found.get("context", {}).get("additionalSettings", {})
        return settings.get("demo") is True

    async def _move(self, state: str) -> bool:
        try:
            await self._ask("PATCH", "agent-sessions", METRICS, body={"state": state})
        except Refused as refusal:
            return not is_gone(refusal) and refusal.status != HTTPStatus.BAD_REQUEST
        return True

    async def _ask(self, *asked: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self._rest.ask, *asked, body=body)


class Chat:
    """A conversation that knows nothing but the socket of seed 002."""

    def __init__(self, told: argparse.Namespace) -> None:
        self._rest = Rest()
        self._speed = told.speed
        self._session = told.chat
        path = f"{told.agents}/agents/{quote(words.HOST)}/stream"
        self._url = self._rest.url.replace("http", "ws", 1) + path

    async def run(self) -> None:
        """Ask one question after the other, in one session."""
        for question in itertools.cycle(QUESTIONS):
            if not await self._say(question):
                return
            await asyncio.sleep(ASK_SECONDS / self._speed)

    async def _say(self, question: str) -> bool:
        """Ask, and hear the answer out; False when the session is gone."""
        task: dict[str, Any] = {"input": {"type": "text/plain", "content": question}}
        if self._session:
            task["context"] = {"sessionId": self._session}
        headers = {"Authorization": f"Bearer {self._rest.token}"}
        async with websockets.connect(self._url, additional_headers=headers) as socket:
            await socket.send(msgspec.json.encode(task).decode())
            async for frame in socket:
                chunk = msgspec.json.decode(frame)
                if chunk["chunkType"] == "error":
                    return False
                if chunk["chunkType"] == "metadata" and not self._session:
                    await self._know(chunk["content"])
        return True

    async def _know(self, metadata: dict[str, Any]) -> None:
        found = self._session = metadata.get("sessionId", "")
        if found:
            tags = {"tags": [words.TAG]}
            await asyncio.to_thread(self._rest.ask, "POST", "sessions", found, "tags", body=tags)


async def run(told: argparse.Namespace) -> None:
    """Keep both going; each ends by itself when somebody ends its session."""
    await asyncio.gather(Metrics(told).run(), Chat(told).run())
    # Whoever ended the sessions wants no others; the demo ends this program.
    await asyncio.Event().wait()


if __name__ == "__main__":
    reader = options.parser(__doc__ or "")
    reader.add_argument("--agents", default="", help="the path that seed 002 is mounted under")
    reader.add_argument("--chat", default="", help="the chat of an earlier run")
    asyncio.run(run(reader.parse_args()))
