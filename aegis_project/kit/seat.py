"""The place a component takes on the data socket."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seat:
    """
    What the data socket must know of a component, and nothing more.

    ``patterns`` bound what may be subscribed and published; ``topics`` are the registered ones,
    subscribed when READY comes without a SUBSCRIBE; ``fence`` is the registration it belongs to;
    ``batch`` allows batch frames and ``extended`` every frame beyond those of the first protocol;
    ``token_id`` is the credential that the data socket showed, where it is not its component's.
    """

    component_id: str
    session_id: str
    name: str
    patterns: tuple[str, ...]
    topics: tuple[str, ...]
    fence: int
    is_historical: bool = False
    extended: bool = False
    batch: bool = False
    window: int = 0
    token_id: str = ""
