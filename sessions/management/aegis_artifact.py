"""`aegis artifact`: the files of a session: list, write, generate, read, look into and remove."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from aegis_project.kit import strict
from aegis_project.kit.principal import Principal
from sessions.core.links import USUAL
from sessions.core.links import Kind as LinkKind
from sessions.files import analyzing
from sessions.files.analyzers.base import Kind, Options, Target
from sessions.files.generators.base import Wanted
from sessions.management import artifact_tables, far_files, named, output, verbs
from sessions.management.artifact_tables import SHAPE
from sessions.management.listing import Limit
from sessions.management.output import How, Misused
from sessions.management.session_options import MAX_BYTES, Reference
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.models import Artifact, Session
from sessions.selectors import artifacts as reading
from sessions.selectors import beginnings, history, sessions
from sessions.services import artifacts, generation, links
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Files of a session: list, write, read and look into them.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Names, or ids.")]
Version = Annotated[int | None, typer.Option(min=1, help="Which one; the newest if not said.")]


@app.command("list")
@verb
@elsewhere(artifact_tables.far_list)
def several(
    session: Reference,
    *,
    folder: Annotated[str, typer.Option(help="Only what is beneath it.")] = "",
    limit: Limit = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List the files of a session in their newest versions, the one written last first.

    Examples: aegis artifact list demo --folder reports; aegis artifact list demo --limit 20 --json
    """
    row = _session(verbs.acting(as_user), session)
    rows = reading.beneath(row.pk, folder) if folder else reading.newest(row.pk)
    SHAPE.newest(How(is_json, is_quiet), "list", rows, limit=limit)


@app.command()
@verb
@elsewhere(far_files.write)
def write(
    session: Reference,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to write.")],
    *,
    name: Annotated[
        str, typer.Option(help="What it is called there; as the file if not said.")
    ] = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Write a file into a session; a name that is there gets a new version.

    Examples: aegis artifact write demo prices.csv --name data/prices.csv;
    aegis artifact write demo report.md --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="artifact.create")
    made = artifacts.create(
        principal=principal, session=row, name=name or file.name, content=artifact_tables.read(file)
    )
    SHAPE.one(How(is_json, is_quiet), "write", made)


@app.command()
@verb
@elsewhere(artifact_tables.far_generate)
def generate(
    session: Reference,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    said: Annotated[Path, typer.Argument(metavar="FILE", help="JSON: what should be in it.")],
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make a file of what a JSON file says: type (report, data, code), format, and what is in it.

    Examples: aegis artifact generate demo reports/today today.json;
    aegis artifact generate demo data/rows rows.json --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="artifact.create")
    wanted = codecs.read(strict.decode(artifact_tables.read(said), max_bytes=MAX_BYTES), Wanted)
    made = generation.generate(principal=principal, session=row, name=name, wanted=wanted)
    SHAPE.one(How(is_json, is_quiet), "generate", made)


@app.command()
@verb
@elsewhere(artifact_tables.far_read)
def read(
    session: Reference,
    name: Name,
    *,
    version: Version = None,
    file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to; else to the output."),
    ] = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Read a file as it was written.

    Examples: aegis artifact read demo report.md; aegis artifact read demo prices.csv -o prices.csv
    """
    found = _found(verbs.acting(as_user), session, name, version)
    content = reading.content(found)
    if file is None and not is_json:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    if file is None:
        raise Misused("With --json, --output says where the file goes.")
    artifact_tables.write(file, content)
    SHAPE.one(How(is_json, is_quiet), "read", found, file=str(file))


@app.command()
@verb
@elsewhere(artifact_tables.far_analyze)
def analyze(
    session: Reference,
    name: Name,
    *,
    version: Version = None,
    kind: Annotated[Kind, typer.Option("--type", help="What is wanted of it.")] = "summary",
    query: Annotated[str, typer.Option(help="For query: lines that contain this.")] = "",
    to: Annotated[Target, typer.Option(help="For transform: what its table becomes.")] = "json",
    most: Annotated[int, typer.Option(min=1, max=100_000, help="Characters of content.")] = 10_000,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Look into a file: what it is and holds, told by its content.

    Examples: aegis artifact analyze demo prices.csv; aegis artifact analyze demo a.pdf --type extract
    """
    row = _found(verbs.acting(as_user), session, name, version)
    options = Options(kind=kind, query=query, to=to, most=most)
    found = analyzing.analyze(reading.content(row), options)
    if is_json or is_quiet:
        output.show_one(
            How(is_json, is_quiet), "artifact.analyze", found, identity=str(row.pk), sentence=""
        )
        return
    artifact_tables.tell(row.name, found)


@app.command()
@verb
@elsewhere(artifact_tables.far_link)
def link(
    session: Reference,
    name: Name,
    *,
    version: Version = None,
    seconds: Annotated[int, typer.Option("--for", help="How long it holds, in seconds.")] = USUAL,
    is_withdrawn: Annotated[
        bool, typer.Option("--withdraw", help="Make those given until now worthless.")
    ] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Give the path of a link with which everybody who has it reads a file, on any of its servers.

    Examples: aegis artifact link demo report.pdf --for 600; aegis artifact link demo a.md --withdraw
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    row = named.session(principal, session, of="file.unlink" if is_withdrawn else "file.link")
    one = beginnings.artifact(principal, row, name, version=version)
    file: dict[str, Any] = {"session": row, "kind": LinkKind.ARTIFACT, "file": one}
    if is_withdrawn:
        done = links.withdraw(principal=principal, **file)
        SHAPE.one(how, "link.withdraw", done, withdrawn=True)
        return
    made = links.issue(principal=principal, seconds=seconds, **file)
    path = f"/api/v1/files/{made.link}"
    told = {"path": path, "expires_at": made.expires_at}
    output.show_one(how, "artifact.link", told, identity=path, sentence=path)


@app.command()
@verb
@elsewhere(artifact_tables.far_remove)
def remove(
    session: Reference,
    name: Names,
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Remove the newest versions of files, or the versions with these ids; the others stay.

    Examples: aegis artifact remove demo report.md --yes;
    aegis artifact remove demo report.md data/prices.csv --dry-run
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="artifact.delete", is_dry=is_dry)
    SHAPE.remove(
        How(is_json, is_quiet),
        name,
        read=lambda one: _found(principal, session, one, None),
        act=lambda one: artifacts.delete(
            principal=principal, session=row, artifact=beginnings.artifact(principal, row, one)
        ),
        is_sure=is_sure,
        is_dry=is_dry,
    )


def _session(principal: Principal, session: str) -> Session:
    return history.readable(principal, str(sessions.resolve(principal, session).pk))


def _found(principal: Principal, session: str, name: str, version: int | None) -> Artifact:
    row = _session(principal, session)
    return reading.find(row.pk, beginnings.artifact(principal, row, name, version=version))
