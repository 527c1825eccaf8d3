"""What sessions do when something happens to one of their components."""

from typing import Any

from components.core.events import ComponentEvent
from sessions.services import lifecycle
from streaming.signals import Published, published

MOVES = frozenset({ComponentEvent.READY.value, ComponentEvent.FAILED.value})


def connect() -> None:
    """Listen to what is published."""
    published.connect(settle, dispatch_uid="sessions.settle")


def settle(*, event: Published, **_: Any) -> None:
    """Bring the session up to what its components say, once for those that say it together."""
    if event.type in MOVES and not event.rest:
        lifecycle.settle(session_id=event.session_id)
