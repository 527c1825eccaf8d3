"""The chat daemon of seed 003: who talks with whom, and where their files are."""

from aegis_project.kit.principal import Principal
from sessions.core import company
from sessions.core.lifecycle import Environment
from sessions.dialects.bus import joining, reading, shapes
from sessions.dialects.bus.registry import Daemon, Data, Reply, register
from sessions.selectors import presence


def participants(principal: Principal, data: Data) -> Reply:
    """Tell who takes part, people, agents and personas, each once."""
    row = reading.readable(principal, data, message="participants")
    principal.require("messages:read")
    found = company.participants(
        owner=row.owner_label,
        actors=presence.actors(row),
        environment=Environment(row.environment),
    )
    return shapes.done({"participants": found, **shapes.truth(row)})


def context(principal: Principal, data: Data) -> Reply:
    """Tell the context of a chat, joined from what each daemon knows of it."""

    def join(parts: Data) -> Data:
        return {
            "id": parts["id"],
            "participants": parts["participants"],
            "sandboxDirectory": parts["sandboxPath"],
            "artifactPaths": {name: one["path"] for name, one in parts["artifacts"].items()},
        }

    return joining.context(principal, data, join=join, more=[("chat", "participants")])


register(Daemon("chat", messages={"participants": participants, "context": context}))
