"""`aegis tool-server`: servers of the Model Context Protocol whose tools agents may use."""

import shlex
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer
from django_typer.management import Typer

from sessions.api import tool_servers as documents
from sessions.core.tool_servers import ToolServerDraft
from sessions.management import listing, verbs
from sessions.management.listing import SecretFile, Shape
from sessions.management.output import How, Misused
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, verb
from sessions.models import ToolServer
from sessions.selectors import tool_servers as reading
from sessions.services import tool_servers
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Tool servers: list, show, create, update and remove them.")

Slug = Annotated[str, typer.Argument(metavar="SERVER", help="Its slug.")]
Slugs = Annotated[list[str], typer.Argument(metavar="SERVER...", help="Slugs.")]
Url = Annotated[str, typer.Option(help="Where it is reached.")]
Command = Annotated[str, typer.Option(help="What starts it, in one text, as a shell reads it.")]


@app.command("list")
@verb
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List the tool servers by slug; their secrets are not shown.

    Examples: aegis tool-server list; aegis tool-server list --json
    """
    SHAPE.several(How(is_json, is_quiet), "list", list(reading.readable(verbs.acting(as_user))))


@app.command()
@verb
def show(server: Slug, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Show one tool server.

    Examples: aegis tool-server show search; aegis tool-server show search --json
    """
    SHAPE.one(How(is_json, is_quiet), "show", reading.read(verbs.acting(as_user), server))


@app.command()
@verb
def create(
    server: Slug,
    *,
    url: Url = "",
    command: Command = "",
    secret_file: SecretFile = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Register a tool server; the file of its secret has a JSON object of headers or variables.

    Examples: aegis tool-server create search --url https://tools.example/mcp --secret-file -;
    aegis tool-server create local --command 'python -m my_server'
    """
    draft = ToolServerDraft(slug=server, url=url, command=words(command), secret=named(secret_file))
    made = tool_servers.create(principal=verbs.acting(as_user), draft=draft)
    SHAPE.one(How(is_json, is_quiet), "create", made.tool_server)


@app.command()
@verb
def update(
    server: Slug,
    *,
    url: Url = "",
    command: Command = "",
    secret_file: SecretFile = "",
    no_secret: Annotated[bool, typer.Option("--no-secret", help="Take its secret away.")] = False,
    active: Annotated[bool | None, typer.Option("--active/--resting", help="In use?")] = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Change a tool server; what is not said stays, and another address needs its secret again.

    Examples: aegis tool-server update search --resting;
    aegis tool-server update search --secret-file headers.json --active
    """
    changes = listing.said(is_active=active)
    if url or command:
        changes |= {"url": url, "command": words(command)}
    if secret_file or no_secret:
        changes["secret"] = {} if no_secret else named(secret_file)
    principal = verbs.acting(as_user)
    changed = tool_servers.update(principal=principal, tool_server=server, changes=changes)
    SHAPE.one(How(is_json, is_quiet), "update", changed.tool_server)


@app.command()
@verb
def remove(
    server: Slugs,
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Forget tool servers and their secrets; their tools are gone from every agent.

    Examples: aegis tool-server remove search --yes; aegis tool-server remove search --dry-run
    """
    principal = verbs.acting(as_user)
    SHAPE.remove(
        How(is_json, is_quiet),
        server,
        read=lambda one: reading.read(principal, one),
        act=lambda one: tool_servers.remove(principal=principal, tool_server=one).tool_server,
        is_sure=is_sure,
        is_dry=is_dry,
    )


def words(command: str) -> list[str]:
    """
    The words of a command.

    :raises Misused: for a quote that does not end
    """
    try:
        return shlex.split(command)
    except ValueError as error:
        raise Misused(f"--command: {error}.") from None


def named(file: str) -> dict[str, str]:
    """
    The texts by name in a file of a secret; none without a file.

    :raises Misused: for anything but a JSON object of texts, which is not repeated
    """
    if not file:
        return {}
    try:
        return msgspec.json.decode(listing.secret(file), type=dict[str, str])
    except msgspec.MsgspecError:
        raise Misused("--secret-file: it has to be a JSON object of texts.") from None


def table(rows: Sequence[ToolServer]) -> dict[str, list[str]]:
    """The columns of a list of tool servers."""
    return {
        "SERVER": [row.slug for row in rows],
        "STATE": ["active" if row.is_active else "resting" for row in rows],
        "SECRET": ["sealed" if row.secret else "–" for row in rows],
        "REACHED": [_reached(row) for row in rows],
    }


def _reached(row: ToolServer) -> str:
    return row.url or shlex.join(row.command)


SHAPE: Shape[ToolServer] = Shape(
    noun="tool-server",
    document=lambda row: codecs.show(documents.document(row)),
    identity=lambda row: row.slug,
    table=table,
    sentence=lambda row: f"{row.slug}  {_reached(row)}{'' if row.is_active else '  (resting)'}",
)
