"""Several server processes on one listening socket, kept by a parent that serves nothing."""

import os
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from sessions.management import children
from sessions.management.children import Child
from sessions.management.servers import Server
from sessions.management.stopping import on_signal

END_SECONDS = 27.0
# Where prometheus_client looks for the files into which several processes count together.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


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
    is_over = threading.Event()
    with counting() as folder, on_signal(is_over.set, give_up=give_up):
        kept = [
            Child(
                f"server-{n}",
                command,
                environment={**os.environ, FOLDER: folder},
                log=None,
                descriptors=[descriptor],
                on_end=partial(forget, folder),
            )
            for n in range(count)
        ]
        for child in kept:
            child.start()
        on_started()
        is_over.wait()
        listener.close()
        children.stop(kept, within_seconds=END_SECONDS)
    return True


def counting() -> AbstractContextManager[str]:
    """A folder in which the processes of one address count together, whichever is asked."""
    return tempfile.TemporaryDirectory(prefix="aegis-metrics-", ignore_cleanup_errors=True)


def forget(folder: str, pid: int) -> None:
    """What a process that ended counted stays; what it held is gone."""
    from prometheus_client import multiprocess  # noqa: PLC0415 -- slow import

    multiprocess.mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]  # it has no types
