"""What the load generator asks of a candidate."""

import socket
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Reading(NamedTuple):
    """The messages in a frame: the number of the first one, and how many there are in a row."""

    first: int
    size: int


@dataclass(slots=True)
class Client:
    """A socket after its handshake, and what was read beyond that."""

    raw: socket.socket
    pending: bytes = b""


class Live(Protocol):
    """A candidate that runs."""

    pid: int
    """The server under load."""

    def subscriber(self) -> Client:
        """One more subscriber, which gets whatever is published from now on."""

    def publisher(self) -> Client:
        """The publisher."""

    def companions(self) -> Sequence[Client]:
        """Sockets that only have to be kept alive beside those."""

    def beat(self) -> bytes:
        """The frame that keeps a companion alive, sent every few seconds; empty for none."""

    def publish(self, messages: Sequence[bytes]) -> bytes:
        """What the publisher sends for these messages, JSON objects with a ``seq``."""

    def read(self, payload: bytes) -> Reading | None:
        """What a subscriber learns from a frame; ``None`` for one that is not about messages."""


class Candidate(Protocol):
    """Something that can carry messages from one to many."""

    name: str
    server: str

    def running(self) -> AbstractContextManager[Live]:
        """Start it on the core for servers; it ends with the block."""
