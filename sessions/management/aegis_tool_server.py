"""`aegis tool-server`: servers of the Model Context Protocol whose tools agents may use."""

import shlex
from typing import Annotated, Any

import msgspec
import typer
from django_typer.management import Typer

from sessions.api import tool_servers as documents
from sessions.core.tool_servers import ToolServerDraft
from sessions.management import listing, there, verbs
from sessions.management.far import Document
from sessions.management.listing import SecretFile, Shape
from sessions.management.output import How, Misused
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.models import ToolServer
from sessions.selectors import tool_servers as reading
from sessions.services import tool_servers
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Tool servers: list, show, create, update and remove them.")

Slug = Annotated[str, typer.Argument(metavar="SERVER", help="Its slug.")]
Slugs = Annotated[list[str], typer.Argument(metavar="SERVER...", help="Slugs.")]
Url = Annotated[str, typer.Option(help="Where it is reached.")]
Command = Annotated[str, typer.Option(help="What starts it, in one text, as a shell reads it.")]


def _reached(row: Document) -> str:
    return str(row["url"]) or shlex.join(row["command"])


SHAPE: Shape[ToolServer] = Shape(
    noun="tool-server",
    document=lambda row: codecs.show(documents.document(row)),
    name="slug",
    columns={
        "SERVER": lambda row: row["slug"],
        "STATE": lambda row: "active" if row["is_active"] else "resting",
        "SECRET": lambda row: "sealed" if row["has_secret"] else "–",
        "REACHED": _reached,
    },
    sentence=lambda row: (
        f"{row['slug']}  {_reached(row)}{'' if row['is_active'] else '  (resting)'}"
    ),
)


def _far_body(*, server: str, url: str, command: str, secret_file: str) -> dict[str, Any]:
    secret = named(secret_file)
    return {"slug": server, "url": url, "command": words(command), "secret": secret}


def _changes(
    *, url: str, command: str, secret_file: str, no_secret: bool, active: bool | None
) -> dict[str, Any]:
    changes = listing.said(is_active=active)
    if url or command:
        changes |= {"url": url, "command": words(command)}
    if secret_file or no_secret:
        changes["secret"] = {} if no_secret else named(secret_file)
    return changes


@app.command("list")
@verb
@elsewhere(there.listed(SHAPE, "tool-servers"))
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List the tool servers by slug; their secrets are not shown.

    Examples: aegis tool-server list; aegis tool-server list --json
    """
    SHAPE.several(How(is_json, is_quiet), "list", list(reading.readable(verbs.acting(as_user))))


@app.command()
@verb
@elsewhere(there.shown(SHAPE, "tool-servers", ":server"))
def show(server: Slug, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Show one tool server.

    Examples: aegis tool-server show search; aegis tool-server show search --json
    """
    SHAPE.one(How(is_json, is_quiet), "show", reading.read(verbs.acting(as_user), server))


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "create", "POST", "tool-servers", body=_far_body))
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
@elsewhere(there.sent(SHAPE, "update", "PATCH", "tool-servers", ":server", body=_changes))
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
    changes = _changes(
        url=url, command=command, secret_file=secret_file, no_secret=no_secret, active=active
    )
    principal = verbs.acting(as_user)
    changed = tool_servers.update(principal=principal, tool_server=server, changes=changes)
    SHAPE.one(How(is_json, is_quiet), "update", changed.tool_server)


@app.command()
@verb
@elsewhere(there.removed(SHAPE, "tool-servers", ":server"))
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
