"""The ways into one session that are sockets, each a connection to a consumer in this process."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from sessions.dialects.bus.socket import BusConsumer
from sessions.dialects.daemon_socket import DaemonConsumer
from tests.calling import Caller
from tests.laws.doors import Bus, Daemon

SECONDS = 20


class Line:
    """One client of a consumer, in a loop that runs while it waits for an answer."""

    def __init__(self, consumer: Any, path: str, program: Caller) -> None:
        self.loop = asyncio.new_event_loop()
        self.coming, self.going = asyncio.Queue[Any](), asyncio.Queue[Any]()
        headers = {"host": "testserver", **program.headers}
        scope = {
            "type": "websocket",
            "path": path,
            "scheme": "ws",
            "query_string": b"",
            "headers": [(name.lower().encode(), one.encode()) for name, one in headers.items()],
        }
        self.coming.put_nowait({"type": "websocket.connect"})
        self.task = self.loop.create_task(consumer(scope, self.coming.get, self.going.put))
        assert self._next()["type"] == "websocket.accept"

    def ask(self, frame: Any, answers: Callable[[Any], bool]) -> Any:
        """What a frame is answered with; what is no answer to it comes before."""
        self.coming.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})
        while not answers(said := json.loads(self._next()["text"])):
            pass
        return said

    def close(self) -> None:
        """Go, and wait until the consumer has."""
        self.coming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        self.loop.run_until_complete(asyncio.wait_for(self.task, SECONDS))
        self.loop.close()

    def _next(self) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(self.going.get(), SECONDS))


class DaemonSocket(Daemon):
    """000's envelopes over its socket."""

    dialect, speaks = "000 socket", "000"

    def __init__(self, program: Caller, session: str) -> None:
        super().__init__(program, session)
        self.line = Line(DaemonConsumer(), "/aegis/commands", program)

    def command(self, word: str, payload: dict[str, Any]) -> Any:
        envelope = {"request_id": "r-1", "command": word, "payload": payload}
        return self.line.ask(envelope, lambda said: bool(said["request_id"] == "r-1"))

    def close(self) -> None:
        self.line.close()


class BusSocket(Bus):
    """003's messages over its socket; events come between the answers."""

    dialect, speaks = "003 socket", "003"

    def __init__(self, program: Caller, session: str) -> None:
        super().__init__(program, session)
        self.line = Line(BusConsumer(), "/bus/events", program)

    def send(self, type_: str, data: dict[str, Any]) -> Any:
        message = {"daemon": "session", "type": type_, "data": data, "ref": "r-1"}
        said = self.line.ask(message, lambda said: said.get("ref") == "r-1")
        del said["ref"]
        return said

    def close(self) -> None:
        self.line.close()
