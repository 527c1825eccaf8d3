"""`aegis policy`: the rules that say what needs whom, and what they would say."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer
from django.utils import timezone
from django_typer.management import Typer

from sessions.api import rehearsals
from sessions.core.lifecycle import Environment
from sessions.core.policy import Facts
from sessions.core.tool_calls import Risk
from sessions.management import far, instants, output, policy_tables, session_options, there, verbs
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.output import How
from sessions.management.policy_tables import GRANTS, SHAPE
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.selectors import beginnings
from sessions.selectors import policies as reading
from sessions.services import policies, rehearsal
from sessions.services.rehearsal import Span
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Policies: list, show and try them; rules made from decisions.")


@app.command("list")
@verb
@elsewhere(policy_tables.far_list)
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List the policies by name.

    Examples: aegis policy list; aegis policy list --json
    """
    rows = list(reading.readable(verbs.acting(as_user)).order_by("slug"))
    SHAPE.several(How(is_json, is_quiet), "list", rows)


@app.command()
@verb
@elsewhere(there.shown(SHAPE, "policies", ":policy"))
def show(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="Its name.")],
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Show the rules of a policy.

    Examples: aegis policy show manual; aegis policy show manual --json
    """
    row = reading.find(verbs.acting(as_user), policy)
    SHAPE.one(How(is_json, is_quiet), "show", row)


@app.command("test")
@verb
@elsewhere(policy_tables.far_test)
def attempt(
    tool: Annotated[str, typer.Argument(help="The name of a tool.")],
    *,
    policy: Annotated[list[str] | None, typer.Option(help="A policy to ask.")] = None,
    arguments: Annotated[str, typer.Option(help="The arguments, a JSON object.")] = "{}",
    risk: Annotated[Risk, typer.Option(help="What the tool may do.")] = Risk.HIGH,
    agent: Annotated[str, typer.Option(help="Who asks.")] = "assistant",
    environment: Annotated[Environment, typer.Option(help="Where.")] = Environment.DEVELOPMENT,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say what would become of a call that nobody makes.

    Examples: aegis policy test orders.place --policy desk --arguments '{"quantity": 500}';
    aegis policy test orders.place --risk low --environment production --json
    """
    principal = verbs.acting(as_user)
    facts = Facts(
        tool=tool,
        arguments=policy_tables.called(arguments),
        risk=risk,
        agent=agent,
        user=principal.actor,
        environment=environment,
    )
    verdict = rehearsal.judge(principal=principal, facts=facts, slugs=policy or [], rules=[])
    document = {
        "verdict": verdict.kind,
        "rule": verdict.rule,
        "who": msgspec.to_builtins(verdict.who),
        "seconds": verdict.seconds,
        "on_timeout": verdict.on_timeout,
        "stops_clock": verdict.stops_clock,
    }
    policy_tables.tell_verdict(How(is_json, is_quiet), document)


@app.command()
@verb
@elsewhere(policy_tables.far_grants)
def grants(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List the rules that were made from decisions and hold, the newest first.

    Examples: aegis policy grants; aegis policy grants --json
    """
    found = reading.grants(verbs.acting(as_user)).filter(revoked_at=None)
    rows = list(found.order_by("-created_at")[:1000])
    GRANTS.several(How(is_json, is_quiet), "grants", rows)


@app.command()
@verb
@elsewhere(policy_tables.far_revoke)
def revoke(
    grant: Annotated[str, typer.Argument(metavar="GRANT", help="Its id, or the beginning of it.")],
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Take back a rule that was made from a decision.

    Examples: aegis policy revoke 5f0c…; aegis policy revoke 5f0c… --json
    """
    principal = verbs.acting(as_user)
    row = policies.revoke(principal=principal, grant=beginnings.grant(principal, grant))
    GRANTS.one(How(is_json, is_quiet), "revoke", row)


def _far_rehearse(
    server: Client,
    *,
    policy: list[str] | None,
    rules: str,
    last: str,
    is_json: bool,
    is_quiet: bool,
    **span: Any,
) -> None:
    since = _since(last)
    body = {
        "policies": policy or [],
        "rules": session_options.value(rules, option="--rules"),
        "since": since.isoformat() if since else None,
        **span,
    }
    found = server.send("POST", "policies", "rehearse", body=body)
    _rehearsed(How(is_json, is_quiet), found)


@app.command()
@verb
@elsewhere(_far_rehearse)
def rehearse(
    *,
    policy: Annotated[list[str] | None, typer.Option(help="A policy to ask.")] = None,
    rules: Annotated[
        str, typer.Option(metavar="JSON|@FILE", help="Proposed rules: a JSON list, or a file.")
    ] = "[]",
    session: Annotated[str, typer.Option(help="Only what was asked in this session.")] = "",
    agent: Annotated[str, typer.Option(help="Only what this agent asked.")] = "",
    last: Annotated[
        str,
        typer.Option(metavar="7d", help="Only of the last hours (h), days (d), weeks (w)."),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=rehearsal.MOST, help="The newest.")] = 1000,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say what a proposal would have asked over recorded calls, and what it would have missed.

    Without a session it is asked about the calls of all that one sees.

    Examples: aegis policy rehearse --policy manual --last 7d;
    aegis policy rehearse --rules @proposed.json --session demo
    """
    found = rehearsal.rehearse(
        principal=verbs.acting(as_user),
        span=Span(session=session, agent=agent, since=_since(last), limit=limit),
        slugs=policy or [],
        rules=session_options.value(rules, option="--rules"),
    )
    _rehearsed(How(is_json, is_quiet), codecs.show(rehearsals.document(found)))


def _since(last: str) -> datetime | None:
    return timezone.now() - instants.length(last, option="--last") if last else None


def _rehearsed(how: How, found: Document) -> None:
    if not (how.is_json or how.is_quiet):
        output.tabulate(far.table(DIFFERING, found["data"]))
    words = ", ".join(f"{count} {word}" for word, count in found["counts"].items())
    output.show_one(
        how,
        "policy.rehearse",
        found,
        identity=str(found["judged"]),
        sentence=f"{found['judged']} calls: {words or 'none'}",
    )


# What would go another way.
DIFFERING: Columns = {
    "TOOL CALL": lambda row: str(row["tool_call"]),
    "TOOL": lambda row: row["tool"],
    "THEN": lambda row: row["then"],
    "NOW": lambda row: row["now"],
    "WHICH IS": lambda row: row["kind"],
    "BY": lambda row: row["rule"],
}
