"""A uvicorn of ours in the loop of the test, around any small application."""

import asyncio
import contextlib

from sessions.management import listening
from sessions.management.uvicorn_server import UvicornServer


@contextlib.asynccontextmanager
async def serving(application):
    started = asyncio.Event()

    async def whole(scope, receive, send):
        if scope["type"] == "lifespan":
            for answer in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{answer}.complete"})
            return
        await application(receive, send)

    with listening.bind("127.0.0.1", 0) as listener:
        server = UvicornServer(
            application=whole, listener=listener, on_started=started.set, trusts_proxy=False
        )
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await started.wait()
        try:
            yield server, f"ws://127.0.0.1:{listening.port_of(listener)}/"
        finally:
            server.stop()
            await task
