"""agno AgentOS with one agent whose model says fifty words; prints the port it listens on."""

import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import uvicorn
from agno.agent import Agent
from agno.db.sqlite import SqliteDb
from agno.models.base import Model
from agno.models.response import ModelResponse
from agno.os import AgentOS

WORDS = [f"word{number} " for number in range(50)]


@dataclass
class Words(Model):
    """A model that costs nothing."""

    id: str = "words"
    name: str = "words"
    provider: str = "words"

    def invoke(self, *_: Any, **__: Any) -> ModelResponse:
        return ModelResponse(role="assistant", content="".join(WORDS))

    async def ainvoke(self, *_: Any, **__: Any) -> ModelResponse:
        return self.invoke()

    def invoke_stream(self, *_: Any, **__: Any) -> Iterator[ModelResponse]:
        for word in WORDS:
            yield ModelResponse(content=word)

    async def ainvoke_stream(self, *_: Any, **__: Any) -> AsyncIterator[ModelResponse]:
        for word in WORDS:
            yield ModelResponse(content=word)

    def _parse_provider_response(self, response: ModelResponse, **_: Any) -> ModelResponse:
        return response

    def _parse_provider_response_delta(self, response: ModelResponse) -> ModelResponse:
        return response


def main(file: str) -> None:
    """Serve until told to end."""
    store = SqliteDb(db_file=file)
    agent = Agent(
        id="assistant",
        model=Words(),
        db=store,
        telemetry=False,
        add_history_to_context=True,
        num_history_runs=20,
    )
    app = AgentOS(agents=[agent], db=store, telemetry=False).get_app()
    # asyncio sends small answers at once only on a socket that says which protocol it is.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run([listening])


if __name__ == "__main__":
    main(sys.argv[1])
