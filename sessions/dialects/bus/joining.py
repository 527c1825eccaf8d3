"""The context of a session, put together from the answers of several daemons."""

from collections.abc import Callable, Sequence

from aegis_project.kit.principal import Principal
from sessions.dialects.bus import registry, shapes
from sessions.dialects.bus.registry import Data, Reply

TRANSPORT = "bus-socket"
"""What the audit calls the socket of the bus."""

PARTS = [("session", "get"), ("directory", "get"), ("artifact", "get")]
TRUTH = ("aegisState", "conditions")


def context(
    principal: Principal,
    data: Data,
    *,
    join: Callable[[Data], Data],
    more: Sequence[tuple[str, str]] = (),
) -> Reply:
    """
    The context that ``join`` makes of what the daemons say; a refusal of one of them is the answer.

    They are asked over the bus, as everybody asks them.
    """
    parts: Data = {}
    for daemon, type_ in [*PARTS, *more]:
        said = registry.send(principal, daemon, type_, data)
        if not said["success"]:
            return said
        parts |= said["data"]
    truth = {name: parts[name] for name in TRUTH}
    return shapes.done({"sessionId": parts["id"], "session": join(parts), **truth})


def transport(principal: Principal) -> str:
    """By what the caller came, in the seed's word."""
    return "WebSocket" if principal.transport == TRANSPORT else "HTTP"
