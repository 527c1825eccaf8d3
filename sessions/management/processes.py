"""Several server processes on one listening socket, kept by a parent that serves nothing."""

import os
import socket
import threading
from collections.abc import Callable

from sessions.management import children
from sessions.management.children import Child
from sessions.management.servers import Server
from sessions.management.stopping import on_signal

END_SECONDS = 27.0


def serve(
    server: Server,
    *,
    count: int,
    listener: socket.socket,
    on_started: Callable[[], None],
    give_up: Callable[[], None],
) -> bool:
    """
    Keep ``count`` processes serving until SIGTERM or SIGINT, then let each of them drain.

    Whoever connects before they listen waits in the socket.
    """
    descriptor = listener.fileno()
    command = ["sessions.management.process", server.value, str(descriptor)]
    kept = [
        Child(f"server-{n}", command, environment=os.environ, log=None, descriptors=[descriptor])
        for n in range(count)
    ]
    is_over = threading.Event()
    with on_signal(is_over.set, give_up=give_up):
        for child in kept:
            child.start()
        on_started()
        is_over.wait()
        listener.close()
        children.stop(kept, within_seconds=END_SECONDS)
    return True
