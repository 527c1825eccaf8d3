"""What a component may say on its control socket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.core.lifecycle import Role


@dataclass(frozen=True, slots=True)
class Proto:
    """
    What a client of this protocol asks for beyond the frames of seed 000.

    ``batch`` asks for batch frames; ``window`` is the number of records that may be sent ahead
    of a COMMIT, 0 for no window.
    """

    v: int = 1
    batch: bool = False
    window: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {"v": self.v, "batch": self.batch, "window": self.window}


@dataclass(frozen=True, slots=True)
class Register:
    """The first frame of a control socket."""

    session_token: str
    topics: tuple[str, ...] = ()
    name: str = ""
    component_id: str | None = None
    role: Role | None = None
    version: str = ""
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    proto: Proto | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """The component can take records."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The component lives; with an ``id`` it answers the HEARTBEAT of the server that had it."""

    id: str = ""


@dataclass(frozen=True, slots=True)
class Refresh:
    """A token that is to follow the one that expires."""

    session_token: str


@dataclass(frozen=True, slots=True)
class Wait:
    """The component lives and is not ready yet; an early READY no longer counts."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The component tells of its own error; one that is not temporary fails it."""

    error: str
    message: str = ""
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """The component has done its work and leaves."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of the CALL of this id: a value, or an error ({code, message})."""

    id: str
    value: Any = None
    error: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A COMMAND that this server does not know."""

    command: str


Passed = Refresh | Fault | Finished | Result
Message = Register | Ready | Heartbeat | Refresh | Wait | Fault | Finished | Result | Unknown
