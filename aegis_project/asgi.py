"""HTTP to Django, sockets to their consumers, and the node beside both."""

import os
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import django
from asgiref.sync import markcoroutinefunction
from channels.routing import URLRouter
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis_project.settings")
# Django must be ready before any module with models is imported.
django.setup(set_prefix=False)

from aegis_project import asking, node, peers, rest, urls  # noqa: E402
from aegis_project.guard import BodyLimit, alive, asks_for_life, unknown_socket  # noqa: E402
from aegis_project.handler import Handler  # noqa: E402
from components.auth import Registrar  # noqa: E402
from components.consumers import ControlConsumer  # noqa: E402
from sessions.consumers import LiveConsumer  # noqa: E402
from sessions.dialects.bus.socket import BusConsumer  # noqa: E402
from sessions.dialects.daemon_socket import DaemonConsumer  # noqa: E402
from sessions.dialects.session_socket import SessionConsumer  # noqa: E402
from sessions.dialects.task_socket import TaskConsumer  # noqa: E402
from streaming import node as nodes  # noqa: E402
from streaming.consumers import DataConsumer  # noqa: E402

django_application = Handler()
http = BodyLimit(
    django_application,
    max_bytes=rest.MAX_BODY,
    uploads=rest.UPLOADS,
    max_upload_bytes=rest.MAX_UPLOAD,
)
registrar = Registrar()
# What most sockets are of is found by its whole path: nothing of the way there stays with them.
places: dict[str, Callable[[], Any]] = {
    "/ws/control": ControlConsumer,
    "/ws/data": partial(DataConsumer, registrar=registrar),
}
# Django types what it routes to as views; Channels routes applications by the same paths.
consumers: list[tuple[str, Any]] = [
    ("ws/live", LiveConsumer.as_asgi()),
    ("ws/sessions/<str:session>", SessionConsumer.as_asgi()),
    ("aegis/commands", DaemonConsumer.as_asgi()),
    ("bus/events", BusConsumer.as_asgi()),
    (f"{urls.PREFIX}/agents/<str:agent>/stream".lstrip("/"), TaskConsumer.as_asgi()),
]
elsewhere: Any = unknown_socket
sockets: Any = [path(address, consumer) for address, consumer in consumers]
others = URLRouter([*sockets, re_path("", elsewhere)])


@markcoroutinefunction
def application(scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
    """
    Serve one scope; the node starts with the server, or with the first scope it serves.

    No coroutine itself, as little on the way as can be: each would be one more for every socket
    as long as that lives.
    """
    if scope["type"] == "lifespan":
        return lifespan(receive, send)
    return (served if nodes.current() is not None else begin)(scope, receive, send)


async def begin(scope: Any, receive: Any, send: Any) -> None:
    """Serve the first scope."""
    await node.ensure()
    await served(scope, receive, send)


def served(scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
    """What serves a scope where the node runs."""
    asking.note(scope)
    serve: Any = http
    if scope["type"] == "websocket":
        make = places.get(scope["path"])
        serve = make() if make is not None else others
        if peer := peers.peer_of(scope):
            serve = partial(peers.limited, serve, peer)
    elif asks_for_life(scope):
        serve = alive
    found: Coroutine[Any, Any, None] = serve(scope, receive, send)
    return found


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
