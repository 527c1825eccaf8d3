"""What the control socket's handshake asks its edge to do, in the order given."""

from dataclasses import dataclass
from typing import Any

from components.core.messages import Fault, Register, Result
from streaming.core.errors import CloseCode


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Find or make the component; then call ``admit``, or ``refuse`` with the error."""

    register: Register


@dataclass(frozen=True, slots=True)
class Renew:
    """Check the new token; then call ``renew``, or ``refuse`` with the error."""

    session_token: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this frame."""

    frame: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """Close the control socket with this code, the and if ``both`` its data socket."""

    code: CloseCode
    both: bool = False


@dataclass(frozen=True, slots=True)
class MarkReady:
    """The component is ready from now on."""


@dataclass(frozen=True, slots=True)
class MarkLate:
    """The component missed a beat, or is in time again."""

    is_late: bool


@dataclass(frozen=True, slots=True)
class MarkLost:
    """The component is lost, for this reason (a word for the ledger)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The component told of an error of its own; one that is not temporary fails it."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class Finish:
    """The component has done its work: it is stopped."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The component told what came of a call of one of its tools."""

    result: Result


Effect = (
    Authenticate
    | Renew
    | Reply
    | Close
    | MarkReady
    | MarkLate
    | MarkLost
    | Report
    | Finish
    | Answer
)
