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


class Connected(NamedTuple):
    """
    The sockets of a candidate.

    ``companions`` have only to be kept alive beside the others; ``bytes_each`` is what one more
    subscriber costs the server in memory.
    """

    subscribers: Sequence[Client]
    publisher: Client
    companions: Sequence[Client]
    bytes_each: float


class Live(Protocol):
    """A candidate that runs."""

    @property
    def pid(self) -> int:
        """The server under load."""

    def connect(self, subscribers: int) -> "Connected":
        """So many subscribers and a publisher, ready for the first message."""

    def beat(self) -> bytes:
        """The frame that keeps a companion alive, sent every few seconds; empty for none."""

    def publish(self, messages: Sequence[bytes]) -> bytes:
        """What the publisher sends for these messages, JSON objects with a ``seq``."""

    def read(self, payload: bytes) -> Reading | None:
        """
        What a subscriber learns from a frame; ``None`` for one that is not about messages.

        Where frames are pieces of a byte stream, there is a ``scan(data)`` instead, which gives
        the reading and how many bytes it is of.
        """


class Candidate(Protocol):
    """Something that can carry messages from one to many."""

    @property
    def name(self) -> str:
        """How the tables call it."""

    @property
    def server(self) -> str:
        """The program that serves it."""

    @property
    def keeps_up(self) -> bool:
        """Whether it can be asked for 50,000 deliveries per second."""

    @property
    def lacks(self) -> str:
        """What is missing on this machine to run it; empty when nothing is."""

    def running(self) -> AbstractContextManager[Live]:
        """Start it on the core for servers; it ends with the block."""
