"""`aegis tool`: what agents can be given, and what they asked for."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.api import tool_calls as calls_api
from sessions.api import tool_documents as documents
from sessions.core.lifecycle import Environment
from sessions.management import far, output, verbs
from sessions.management.client import Client
from sessions.management.far import Columns
from sessions.management.listing import Limit
from sessions.management.output import How, Misused
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.selectors import sessions
from sessions.selectors import tool_calls as reading
from sessions.toolbox import known
from streaming.api import codecs
from streaming.selectors import pages

app: Typer[..., Any] = Typer(help="Tools: list and show them, and list their calls.")

Of = Annotated[str, typer.Option("--session", help="With what components of this session offer.")]
TOOLS: Columns = {
    "TOOL": lambda row: row["name"],
    "RISK": lambda row: row["risk"],
    "FROM": lambda row: row["source"],
    "ASKS": lambda row: "always" if row["always_ask"] else "by policy",
    "REPEATED": lambda row: "acts once" if row["is_idempotent"] else "acts again",
    "DESCRIPTION": lambda row: " ".join(row["description"].split()),
}
CALLS: Columns = {
    "CALL": lambda row: str(row["id"]),
    "TOOL": lambda row: row["name"],
    "STATE": lambda row: row["state"],
    "RISK": lambda row: row["risk"],
    "BY": lambda row: row["approved_by"] or row["rule"],
    "AGE": lambda row: far.moment(row["created_at"]),
    "ARGUMENTS": lambda row: output.dump(row["arguments"])[:100],
}


def _far_list(server: Client, *, session: str, ask: bool, is_json: bool, is_quiet: bool) -> None:
    found = server.get("tools", session=session, ask=str(ask).lower())
    _list(How(is_json, is_quiet), found["data"], found["silent"])


@app.command("list")
@verb
@elsewhere(_far_list)
def several(
    *,
    session: Of = "",
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the tool servers for theirs, too.")
    ] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List the tools that agents can be given, by name.

    Examples: aegis tool list; aegis tool list --session demo --ask --fields name,risk,source
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session) if session else None
    found = known.known(principal, session=row, is_asking=ask)
    shown = [codecs.show(documents.tool(one)) for one in found.specs]
    _list(How(is_json, is_quiet), shown, found.silent)


def _list(how: How, rows: Sequence[far.Document], silent: Mapping[str, str]) -> None:
    for server, why in silent.items():
        output.say(f"{server}: {why}")
    output.show(
        how,
        "tool.list",
        data=lambda: rows,
        ids=[one["name"] for one in rows],
        table=lambda: far.table(TOOLS, rows),
    )


def _far_show(
    server: Client,
    *,
    tool: str,
    session: str,
    environment: Environment,
    is_json: bool,
    is_quiet: bool,
) -> None:
    _show(
        How(is_json, is_quiet),
        server.get("tools", tool, session=session, environment=environment.value),
    )


@app.command()
@verb
@elsewhere(_far_show)
def show(
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="Its name.")],
    *,
    session: Of = "",
    environment: Annotated[
        Environment, typer.Option("--env", help="Where the policies are asked about it.")
    ] = Environment.DEVELOPMENT,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Show one tool: what it takes, who may ask for it, and what each policy says to that.

    Examples: aegis tool show ask_person; aegis tool show component.desk.buy --session demo --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session) if session else None
    found = known.told(principal, tool, environment=environment, session=row)
    _show(How(is_json, is_quiet), codecs.show(documents.known(found)))


def _show(how: How, row: far.Document) -> None:
    lines = "\n".join(f"{name:16} {_text(value)}" for name, value in row.items())
    output.show_one(how, "tool.show", row, identity=str(row["name"]), sentence=lines)


def _far_calls(
    server: Client, *, session: str, state: str, limit: int, is_json: bool, is_quiet: bool
) -> None:
    rows, has_more = server.several("sessions", session, "tool-calls", limit=limit, status=state)
    far.several(How(is_json, is_quiet), "tool.calls", CALLS, rows, has_more=has_more)


@app.command()
@verb
@elsewhere(_far_calls)
def calls(
    session: Reference,
    *,
    state: Annotated[
        str, typer.Option(metavar="STATE,...", help="Only these states, commas between.")
    ] = "",
    limit: Limit = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List what was asked of tools in a session, the newest first.

    Examples: aegis tool calls demo; aegis tool calls demo --state unknown,failed --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    principal.require("runs:read")
    words = [word.strip() for word in state.split(",") if word.strip()]
    try:
        states = reading.states_of(words)
    except KeyError as unknown:
        raise Misused(f"--state: there is no state {unknown}.") from None
    page = pages.page(
        reading.of_session(row.pk, states=states), order="-created_at", cursor="", limit=limit
    )
    if page.next:
        output.say(f"There are more than {limit}; see --limit.")
    rows = [codecs.show(one) for one in calls_api.described(page.rows)]
    far.several(How(is_json, is_quiet), "tool.calls", CALLS, rows, has_more=bool(page.next))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else output.dump(value)
