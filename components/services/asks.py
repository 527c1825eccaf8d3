"""What is asked of a connected component: that it answers at once, or logs as much as this."""

from datetime import datetime
from uuid import uuid4

from aegis_project.kit.errors import InvalidState
from components.core import asks
from components.core.asks import LONGEST_SECONDS, Level
from components.core.lifecycle import CONNECTED
from components.models import Component, ToolUse
from components.services import tool_uses
from streaming import hints


def ping(component: Component) -> ToolUse:
    """
    Have the process that holds its control socket send it a HEARTBEAT that asks for an answer.

    :raises InvalidState: if it is not connected
    """
    return _ask(component, asks.PING, {})


def log_level(component: Component, level: Level) -> ToolUse:
    """
    Ask it to log as much as this, and no more.

    :raises InvalidState: if it is not connected, or knows no such frame
    """
    if component.state in CONNECTED and not component.proto:
        raise InvalidState(
            f"{component.name} registered without proto, so it knows no LOG_LEVEL.",
            state=component.state,
        )
    return _ask(component, asks.LOG_LEVEL, {"level": level.value})


def _ask(component: Component, what: str, said: dict[str, str]) -> ToolUse:
    if component.state not in CONNECTED:
        raise InvalidState(
            f"{component.name} is {component.state}, so there is nobody to ask.",
            state=component.state,
        )
    return tool_uses.ask(
        component_id=component.pk,
        tool=what,
        arguments=said,
        effect_key=uuid4().hex,
        seconds=LONGEST_SECONDS,
    )


def answered(asked: ToolUse, *, within_seconds: float) -> bool:
    """Wait for its answer at most so long; the row says what it was."""

    def is_there() -> bool:
        asked.refresh_from_db()
        return asked.answered_at is not None

    return hints.wait_until(is_there, timeout_seconds=min(within_seconds, LONGEST_SECONDS))


def round_trip_ms(asked: ToolUse) -> float | None:
    """How long it took from the frame to its answer, as the process told that holds the socket."""
    sent: datetime | None = asked.sent_at
    if sent is None or asked.answered_at is None:
        return None
    return max((asked.answered_at - sent).total_seconds() * 1000, 0.0)
