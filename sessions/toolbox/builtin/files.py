"""Tools that read and write the files of a session."""

from typing import Annotated, Any

from pydantic import Field

from aegis_project.kit.errors import ValidationFailed
from sessions.core import sandbox
from sessions.core.tool_calls import Risk
from sessions.models import Artifact, Run
from sessions.selectors import artifacts as reading
from sessions.services import artifacts
from sessions.toolbox.define import tool
from sessions.toolbox.ground import Ground

MOST_TEXT = 1024 * 1024
MOST_READ = 128 * 1024
MOST_LISTED = 500

Name = Annotated[
    str, Field(min_length=1, max_length=sandbox.LONGEST, description="As reports/today.md.")
]


@tool(risk=Risk.SAFE, is_idempotent=True, source="builtin")
async def list_artifacts(ground: Ground) -> Any:
    """List the files of this session: names, newest versions, sizes."""
    return await ground.read(_list, ground)


def _list(ground: Ground) -> list[dict[str, Any]]:
    ground.principal.require("messages:read")
    return [_shown(one) for one in reading.newest(ground.session_id)[:MOST_LISTED]]


@tool(risk=Risk.SAFE, is_idempotent=True, source="builtin")
async def read_artifact(
    ground: Ground,
    name: Name,
    version: Annotated[int | None, Field(ge=1, description="The newest if left out.")] = None,
    offset: Annotated[int, Field(ge=0, description="Begin after so many characters.")] = 0,
) -> Any:
    """
    Read a text file of this session.

    A long one comes in pieces: `next` is the offset of the piece that follows.
    """
    return await ground.read(_read, ground, name, version, offset)


def _read(ground: Ground, name: str, version: int | None, offset: int) -> dict[str, Any]:
    ground.principal.require("messages:read")
    found = reading.named(ground.session_id, name, version=version)
    try:
        text = reading.content(found).decode()
    except UnicodeDecodeError:
        raise ValidationFailed("It is no text.", content_type=found.content_type) from None
    end = offset + MOST_READ
    following = end if end < len(text) else None
    return {**_shown(found), "text": text[offset:end], "next": following}


@tool(risk=Risk.LOW, is_idempotent=True, source="builtin")
async def write_artifact(
    ground: Ground,
    name: Name,
    text: Annotated[str, Field(max_length=MOST_TEXT)],
) -> Any:
    """Write a text file of this session; a name that is there gets a new version."""

    def act() -> Any:
        made = artifacts.create(
            principal=ground.principal,
            session=ground.session_id,
            name=name,
            content=text.encode(),
            run=Run.objects.filter(pk=ground.call.run_id).first(),
        )
        return _shown(made)

    return await ground.once(act)


def _shown(row: Artifact) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "name": row.name,
        "version": row.version,
        "size": row.size,
        "content_type": row.content_type,
    }


TOOLS = (list_artifacts, read_artifact, write_artifact)
