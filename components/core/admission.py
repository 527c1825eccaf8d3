"""What the registry answers to a register."""

from dataclasses import dataclass

from components.core.tokens import Expiry


@dataclass(frozen=True, slots=True)
class Admission:
    """The component that a register became."""

    component_id: str
    name: str
    topics: tuple[str, ...]
    data_socket: str = "/ws/data"
    expiry: Expiry | None = None
