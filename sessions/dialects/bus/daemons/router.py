"""The router daemon of seed 003: who is on the bus, and the context of a session for its caller."""

from aegis_project.kit.principal import Principal
from sessions.dialects.bus import joining, shapes
from sessions.dialects.bus.registry import Daemon, Data, Reply, known, register

IDENTITY = ("id", "type", "owner", "created")


def daemons(principal: Principal, _data: Data) -> Reply:
    """Tell which daemons there are, and what each answers."""
    principal.require("sessions:read")
    return shapes.done({one.name: sorted(one.messages) for one in known().values()})


def context(principal: Principal, data: Data) -> Reply:
    """Tell the context of a session, joined from what each daemon knows of it."""

    def join(parts: Data) -> Data:
        return {
            **{name: parts[name] for name in IDENTITY},
            "sandboxPath": parts["sandboxPath"],
            "artifacts": parts["artifacts"],
            "transport": joining.transport(principal),
        }

    return joining.context(principal, data, join=join)


register(Daemon("router", messages={"daemons": daemons, "context": context}))
