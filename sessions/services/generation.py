"""Files that are generated: made first, then written as every other one."""

from aegis_project.kit.principal import Principal
from sessions.core import sandbox
from sessions.files.generators import registry
from sessions.files.generators.base import Wanted
from sessions.models import Artifact, Run
from sessions.services import artifacts
from sessions.services.moving import Reference


def generate(
    *,
    principal: Principal,
    session: Reference,
    name: str,
    wanted: Wanted,
    run: Run | None = None,
) -> Artifact:
    """
    Make a file and write it in a session's sandbox; the end of its name is that of its format.

    :raises ValidationFailed: for a format that there is not, or a name that leads elsewhere
    :raises PayloadTooLarge: for more than one file has
    :raises PermissionDenied: without the scope messages:write
    :raises SessionNotFound: if the session is not there for the principal
    :raises InvalidState: if it is closed
    """
    principal.require("messages:write")
    sandbox.name(name)
    made = registry.make(wanted)
    suffix = f".{made.suffix}"
    return artifacts.create(
        principal=principal,
        session=session,
        name=name if name.lower().endswith(suffix) else f"{name}{suffix}",
        content=made.content,
        content_type=made.content_type,
        run=run,
        metadata={"generated": wanted.type},
    )
