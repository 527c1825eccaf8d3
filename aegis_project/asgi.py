"""HTTP to Django, sockets to their consumers, and the node beside both."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis_project.settings")
# Django must be ready before any module with models is imported.
django_application = get_asgi_application()

from aegis_project import node, rest  # noqa: E402
from aegis_project.guard import BodyLimit, unknown_socket  # noqa: E402
from components.auth import Registrar  # noqa: E402
from components.consumers import ControlConsumer  # noqa: E402
from sessions.consumers import LiveConsumer  # noqa: E402
from streaming.consumers import DataConsumer  # noqa: E402

# Django types what it routes to as views; Channels routes applications by the same paths.
consumers: list[tuple[str, Any]] = [
    ("ws/control", ControlConsumer.as_asgi()),
    ("ws/data", DataConsumer.as_asgi(registrar=Registrar())),
    ("ws/live", LiveConsumer.as_asgi()),
]
elsewhere: Any = unknown_socket
sockets: Any = [path(address, consumer) for address, consumer in consumers]
served = ProtocolTypeRouter(
    {
        "http": BodyLimit(
            django_application,
            max_bytes=rest.MAX_BODY,
            uploads=rest.UPLOADS,
            max_upload_bytes=rest.MAX_UPLOAD,
        ),
        "websocket": URLRouter([*sockets, re_path("", elsewhere)]),
    }
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve one scope; the node starts with the server, or with the first scope it serves."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    await node.ensure()
    await served(scope, receive, send)


async def lifespan(receive: Any, send: Any) -> None:
    """Start and stop the node with a server that says when it starts and stops."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await node.ensure()
            await send({"type": "lifespan.startup.complete"})
        else:
            await node.end()
            await send({"type": "lifespan.shutdown.complete"})
            return
