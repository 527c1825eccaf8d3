"""What clients say on the data socket."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from streaming.core.position import Cursor
from streaming.core.resume import Start

Id = int | str | None
Producer = tuple[str, int, int]
"""Who publishes for the how-manieth time: its id, empty for the component itself, its epoch, n."""
Policy = Literal["drop", "conflate", "block", "close"]
POLICIES: tuple[Policy, ...] = ("drop", "conflate", "block", "close")
LATEST = Start()


@dataclass(frozen=True, slots=True)
class Request:
    """One topic or pattern asked for; ``policy`` is ``None`` for the mode's own."""

    topic: str
    begin: Start = LATEST
    cursor: Cursor | None = None
    policy: Policy | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Deliver these topics from now on."""

    id: Id
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Deliver these topics no longer."""

    id: Id
    topics: tuple[str, ...]


class Publish(msgspec.Struct, frozen=True, gc=False):
    """Put ``items``, JSON texts as they stood in the frame, into a topic."""

    id: Id
    topic: str
    items: list[bytes]
    producer: Producer | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything up to these numbers is processed; the names are topics or aliases."""

    pos: dict[str, int]


@dataclass(frozen=True, slots=True)
class Hold:
    """PAUSE or RESUME the delivery of a topic."""

    topic: str
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Note:
    """A frame that only shows life, or tells of the client's own errors."""

    command: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A COMMAND that is not of the data socket."""

    command: str
    id: Id


Inbound = Subscribe | Unsubscribe | Publish | Commit | Hold | Note | Unknown
