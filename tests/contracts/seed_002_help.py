"""A server as seed 002 expects one, and what its clients see of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import websocket

from tests.serving import Running

GOLDEN = Path(__file__).parent / "seed_002"
# The only thing that is replaced in what the seed prints.
ADDRESS = "localhost:8080"
# What the specification adds to the seed's shapes.
ADDITIONS = {"aegisState", "conditions", "id"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def example(number: int, server: Running) -> str:
    """An example of the seed, with this server's host and port."""
    text = (GOLDEN / f"example_{number}.txt").read_text()
    return text.replace(ADDRESS, urlsplit(server.url).netloc)


def plain(value: Any) -> Any:
    """An answer without additions, and with words for what is another each time."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if name not in ADDITIONS}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, str):
        value = "<uuid>" if UUID.match(value) else value
        return "<timestamp>" if TIMESTAMP.match(value) else value
    return "<int>" if type(value) is int else value


def client(server: Running) -> httpx2.Client:
    """A program without credentials, as in the seed."""
    return httpx2.Client(base_url=server.url, timeout=70, trust_env=False)


def task(content: Any, **rest: Any) -> dict[str, Any]:
    """A request as the seed writes it."""
    return {"input": {"type": "text/plain", "content": content}, **rest}


class Socket:
    """One connection to an agent."""

    def __init__(self, server: Running, agent: str = "assistant", **options: Any) -> None:
        address = f"{server.ws_url}/agents/{agent}/stream"
        self.link = websocket.create_connection(address, timeout=30, **options)
        # The library loses sight of it when the server closes at the same time.
        self._connection = self.link.sock

    def send(self, value: Any) -> None:
        self.link.send(value if isinstance(value, str) else json.dumps(value))

    def next(self) -> Any:
        """The next chunk; None when the server has closed."""
        text = self.link.recv()
        return json.loads(text) if text else None

    def chunks(self) -> Iterator[Any]:
        """Every chunk until the server closes."""
        while (chunk := self.next()) is not None:
            yield chunk

    def until_final(self) -> list[Any]:
        """The chunks up to the next final one."""
        found: list[Any] = []
        while not found or not found[-1]["final"]:
            found.append(self.next())
        return found

    def close(self) -> None:
        self.link.close()
        if self._connection is not None:
            self._connection.close()


def text_of(chunks: list[Any], label: str = "") -> str:
    """What was said in these chunks, by the task of this label if one is named."""
    return "".join(
        one["content"]
        for one in chunks
        if one["chunkType"] == "text" and (not label or one["taskId"] == label)
    )


def created(web: httpx2.Client, **more: Any) -> Any:
    """A new session with the assistant."""
    answer = web.post("/sessions", json={"agentId": "assistant", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def asked(web: httpx2.Client, session: str, content: Any, **more: Any) -> Any:
    """What came of a task in a session."""
    answer = web.post(f"/sessions/{session}/tasks", json=task(content, **more))
    assert answer.status_code == 200, answer.text
    return answer.json()
