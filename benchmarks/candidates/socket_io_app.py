"""python-socketio on uvicorn: what one says, all hear."""

import asyncio
from typing import Any

import socketio  # type: ignore[import-not-found]  # it runs where it is installed
import uvicorn

server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"], http_compression=False)


@server.on("m")  # type: ignore[untyped-decorator]  # as above
async def say(_: str, message: Any) -> None:
    """Tell everybody."""
    await server.emit("m", message)


class Server(uvicorn.Server):
    """Prints its port once it listens."""

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)


if __name__ == "__main__":
    asyncio.run(
        Server(
            uvicorn.Config(
                socketio.ASGIApp(server),
                host="127.0.0.1",
                port=0,
                loop="uvloop",
                http="httptools",
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                log_level="warning",
            )
        ).serve()
    )
