"""How a connection becomes a component."""

from dataclasses import dataclass
from enum import StrEnum

from components.core.tokens import Expiry


class Phase(StrEnum):
    """How far the connection has come."""

    OPEN = "open"
    AUTHENTICATING = "authenticating"
    REGISTERED = "registered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Admission:
    """The component that a register became."""

    component_id: str
    name: str
    session_id: str
    topics: tuple[str, ...]
    data_socket: str = "/ws/data"
    expiry: Expiry | None = None
