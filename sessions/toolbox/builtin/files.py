"""Tools that read and write the files of a session."""

import asyncio
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from aegis_project.kit.errors import ValidationFailed
from sessions.core import sandbox
from sessions.core.tool_calls import Risk
from sessions.files import analyzing
from sessions.files.analyzers.base import Kind, Options, Target
from sessions.files.generators.base import Format, Section, Wanted
from sessions.models import Artifact, Run
from sessions.selectors import artifacts as reading
from sessions.services import artifacts, generation
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


@tool(risk=Risk.SAFE, is_idempotent=True, timeout_seconds=180, source="builtin")
async def analyze_artifact(
    ground: Ground,
    name: Name,
    version: Annotated[int | None, Field(ge=1, description="The newest if left out.")] = None,
    analysis_type: Annotated[Kind, Field(description="`extract` gives its text.")] = "summary",
    query: Annotated[str, Field(max_length=200, description="For `query`: lines with it.")] = "",
    to: Annotated[Target, Field(description="For `transform`: what its table becomes.")] = "json",
    max_content_length: Annotated[int, Field(ge=1, le=MOST_READ)] = 10_000,
) -> Any:
    """
    Look into a file of this session: documents, tables, pictures, programs, archives.

    It is told by its content. `success` is false for what is broken, and `error` says why.
    """
    content = await ground.read(_content, ground, name, version)
    options = Options(kind=analysis_type, query=query, to=to, most=max_content_length)
    return await asyncio.to_thread(analyzing.analyze, content, options)


def _content(ground: Ground, name: str, version: int | None) -> bytes:
    ground.principal.require("messages:read")
    return reading.content(reading.named(ground.session_id, name, version=version))


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


class Part(BaseModel):
    """A section of a report."""

    heading: str = Field("", max_length=300)
    text: str = Field("", description="Paragraphs, with empty lines between.")
    rows: list[dict[str, Any]] = []


@tool(risk=Risk.LOW, is_idempotent=True, timeout_seconds=180, source="builtin")
async def generate_artifact(
    ground: Ground,
    name: Name,
    type: Annotated[Literal["report", "data", "code"], Field()],  # noqa: A002
    format: Annotated[  # noqa: A002
        Format, Field(description="md html txt pdf of a report, csv json xlsx xml of data.")
    ] = "",
    title: Annotated[str, Field(max_length=300)] = "",
    text: Annotated[str, Field(max_length=MOST_TEXT, description="Of a report.")] = "",
    sections: Annotated[list[Part], Field(max_length=500, description="Of a report.")] = [],  # noqa: B006
    rows: Annotated[list[dict[str, Any]], Field(description="A table: objects.")] = [],  # noqa: B006
    language: Annotated[str, Field(max_length=40, description="Of code.")] = "",
    code: Annotated[str, Field(max_length=MOST_TEXT)] = "",
) -> Any:
    """Make a file of this session: a report, a table, a program; each format as people expect it."""
    wanted = Wanted(
        type=type,
        format=format,
        title=title,
        text=text,
        sections=[Section(**one.model_dump()) for one in sections],
        rows=rows,
        language=language,
        code=code,
    )

    def act() -> Any:
        made = generation.generate(
            principal=ground.principal,
            session=ground.session_id,
            name=name,
            wanted=wanted,
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


TOOLS = (analyze_artifact, generate_artifact, list_artifacts, read_artifact, write_artifact)
