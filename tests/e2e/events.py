"""A client of server-sent events, as a browser's: it knows the last id that came."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson


@dataclass
class Event:
    """One event."""

    id: str
    name: str
    data: Any


@dataclass
class Source:
    """What came from one address until now, over however many connections."""

    web: httpx2.Client
    address: str
    last: str = ""
    got: list[Event] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What was said and counts, as the rule about attempts has it."""
        pieces: list[tuple[int, str]] = []
        for one in self.got:
            if one.name == "message_start":
                pieces = [piece for piece in pieces if piece[0] <= one.data["keeps"]]
            elif one.name == "content_delta":
                pieces.append((int(one.id), one.data["delta"]))
        return "".join(piece for _, piece in pieces)

    @contextlib.contextmanager
    def opened(self, web: httpx2.Client | None = None) -> Iterator[Iterator[Event]]:
        """The events of one connection, from where the one before left off."""
        asked = {"Accept": "text/event-stream"} | (
            {"Last-Event-ID": self.last} if self.last else {}
        )
        with (web or self.web).stream("GET", self.address, headers=asked) as answer:
            assert answer.status_code == 200, answer.read()
            self.headers = dict(answer.headers)
            yield self.events(answer)

    def events(self, answer: httpx2.Response) -> Iterator[Event]:
        """The events in an answer, as they come."""
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                event = Event(fields.get("id", ""), fields["event"], orjson.loads(fields["data"]))
                self.last = event.id or self.last
                self.got.append(event)
                fields = {}
                yield event

    def read(self, *, until: str, web: httpx2.Client | None = None) -> list[Event]:
        """Read until an event of this name came."""
        found = []
        with self.opened(web) as events:
            for event in events:
                found.append(event)
                if event.name == until:
                    return found
        raise AssertionError(f"No {until} came, but {[one.name for one in found]}.")

    def rest(self) -> list[Event]:
        """Read until the server has no more."""
        with self.opened() as events:
            return list(events)
