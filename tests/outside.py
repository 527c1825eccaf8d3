"""A real HTTP server outside of Aegis: it answers as told and remembers who came."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests import waiting


@dataclass(frozen=True)
class Visit:
    """One request as it came; the names of headers are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What a path is answered with; ``hold`` is waited for before anything is said."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None


@dataclass
class Outside:
    """The server: ``replies`` by path, ``visits`` in the order in which they came."""

    port: int
    scheme: str = "http"
    replies: dict[str, Reply] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    guests: set[int] = field(default_factory=set)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def settle(self) -> None:
        """Go on when everything that was sent until now has been seen, also by who is gone."""
        # Guests are let in one after the other, so whoever came before this one is in.
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as last:
            last.shutdown(socket.SHUT_WR)
            last.recv(1)
        waiting.block_until(lambda: not self.guests)


@contextlib.contextmanager
def outside(*, tls: ssl.SSLContext | None = None) -> Iterator[Outside]:
    """A server on a free port of 127.0.0.1, until the block ends."""
    server = _Server(("127.0.0.1", 0), _Visitor)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    place = Outside(server.server_address[1], "https" if tls else "http")
    server.place = place
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield place
    finally:
        for reply in place.replies.values():
            if reply.hold is not None:
                reply.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    place: Outside

    def process_request(self, request: Any, client_address: Any) -> None:
        self.place.guests.add(id(request))
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.place.guests.discard(id(request))


class _Visitor(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        place: Outside = self.server.place  # type: ignore[attr-defined]
        size = int(self.headers.get("content-length", 0))
        body = self.rfile.read(size)
        if len(body) < size:
            # Whoever sent it was gone before all of it was said.
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        place.visits.append(Visit(self.command, self.path, headers, body))
        reply = place.replies.get(self.path.partition("?")[0], Reply())
        if reply.hold is not None:
            reply.hold.wait(30)
        with contextlib.suppress(OSError):
            self._say(reply)

    def _say(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 -- the names they have there

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name it has there
        """Say nothing."""
