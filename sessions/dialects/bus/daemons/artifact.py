"""The artifact daemon of seed 003: which files are in a session's sandbox."""

from typing import Any

from aegis_project.kit.moments import stamp
from aegis_project.kit.principal import Principal
from sessions.dialects.bus import reading, shapes
from sessions.dialects.bus.registry import BusEvent, Daemon, Data, Reply, register
from sessions.files import folders
from sessions.models import Artifact
from sessions.selectors import artifacts


def initialize_storage(event: BusEvent) -> None:
    """Make the place for a session's files; the index of them are their rows."""
    folders.make(event.session_id, "artifacts")


def get(principal: Principal, data: Data) -> Reply:
    """Tell the index: every file in its newest version, by its name."""
    row = reading.readable(principal, data, message="get")
    principal.require("messages:read")
    index = {one.name: _entry(one) for one in artifacts.newest(row.pk)}
    return shapes.done({"artifacts": index, **shapes.truth(row)})


def _entry(one: Artifact) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "path": f"{folders.name(one.session_id)}/{one.name}",
        "version": one.version,
        "contentType": one.content_type,
        "size": one.size,
        "created": stamp(one.created_at),
    }


register(
    Daemon(
        "artifact",
        messages={"get": get},
        hears={shapes.CREATED: initialize_storage},
    )
)
