"""The directory daemon of seed 003: a sandbox for each session."""

from aegis_project.kit.principal import Principal
from sessions.dialects.bus import reading, shapes
from sessions.dialects.bus.registry import BusEvent, Daemon, Data, Reply, register
from sessions.files import folders


def create_sandbox(event: BusEvent) -> None:
    """Make the sandbox of a session."""
    folders.make(event.session_id)


def remove_sandbox(event: BusEvent) -> None:
    """Remove a sandbox in which nothing is; what is in it stays as long as the session's rows."""
    folders.remove(event.session_id)


def get(principal: Principal, data: Data) -> Reply:
    """Tell what a session's sandbox is called: a name, nothing that leads to a place on a disk."""
    row = reading.readable(principal, data, message="get")
    return shapes.done({"sandboxPath": folders.name(row.pk), **shapes.truth(row)})


register(
    Daemon(
        "directory",
        messages={"get": get},
        hears={shapes.CREATED: create_sandbox, shapes.ENDED: remove_sandbox},
    )
)
