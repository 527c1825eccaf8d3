"""What sessions do when something happens to one of their components, or to themselves."""

from typing import Any
from uuid import UUID

from components.core.events import ComponentEvent
from sessions.dialects.bus import registry, shapes
from sessions.dialects.bus.registry import BusEvent
from sessions.services import lifecycle
from streaming.signals import Published, published

MOVES = frozenset(
    {ComponentEvent.READY.value, ComponentEvent.FAILED.value, ComponentEvent.DETACHED.value}
)


def connect() -> None:
    """Listen to what is published."""
    published.connect(settle, dispatch_uid="sessions.settle")
    published.connect(tell_daemons, dispatch_uid="sessions.bus")


def settle(*, event: Published, **_: Any) -> None:
    """Bring the session up to what its components say, once for those that say it together."""
    if event.type in MOVES and not event.rest:
        lifecycle.settle(session_id=event.session_id)


def tell_daemons(*, event: Published, **_: Any) -> None:
    """Tell the daemons of the bus that a session was made or is over."""
    if event.type in shapes.EVENTS:
        registry.emit(BusEvent(shapes.EVENTS[event.type], UUID(event.session_id)))
