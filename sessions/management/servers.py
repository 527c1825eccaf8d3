"""The two programs that can serve the application, behind one question."""

import gc
import socket
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

from django.conf import settings
from django.urls import get_resolver
from django.utils.module_loading import import_string

from sessions.management.stopping import on_signal
from sessions.management.uvicorn_server import UvicornServer


def application() -> Any:
    """
    The application, with all that its first visitor would otherwise wait for.

    The composition stands above this app, which knows it by its name only.
    """
    found = import_string(settings.ASGI_APPLICATION)
    # Importing every view takes a second that the loop does not have.
    get_resolver().url_patterns  # noqa: B018 -- it is looked up for the first time
    # What is there now stays until the end; no collection need look at it again.
    gc.freeze()
    return found


class Server(StrEnum):
    """Which program speaks HTTP and WebSocket."""

    UVICORN = "uvicorn"
    DAPHNE = "daphne"


class Serving(Protocol):
    """A server that can be run once."""

    def serve_forever(self) -> bool:
        """Serve in the main thread until it is stopped; whether all went as it should."""

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""


def serve(
    server: Server,
    *,
    application: Any,
    listener: socket.socket,
    trusts_proxy: bool,
    on_started: Callable[[], None],
    give_up: Callable[[], None],
) -> bool:
    """
    Serve until SIGTERM or SIGINT, then drain; whether it started and ended as it should.

    ``on_started`` is called on the server's loop once it listens, ``give_up`` just before the
    process ends without having drained: after a second SIGINT, or when draining takes too long.
    """
    serving: Serving
    if server is Server.UVICORN:
        serving = UvicornServer(
            application=application,
            listener=listener,
            on_started=on_started,
            trusts_proxy=trusts_proxy,
        )
    else:
        from sessions.management import daphne_server  # noqa: PLC0415 -- slow import

        serving = daphne_server.DaphneServer(
            application=application, listener=listener, on_started=on_started
        )
    with on_signal(serving.stop, give_up=give_up):
        return serving.serve_forever()
