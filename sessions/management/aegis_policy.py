"""`aegis policy`: the rules that say what needs whom, and what they would say."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
import orjson
import typer
from django.utils import timezone
from django_typer.management import Typer

from aegis_project.kit.errors import ValidationFailed
from sessions.api import grants as grant_documents
from sessions.api import policies as documents
from sessions.api import rehearsals
from sessions.core import policy as rule_words
from sessions.core.lifecycle import Environment
from sessions.core.policy import Facts
from sessions.core.tool_calls import Risk
from sessions.management import far, instants, output, session_options, verbs
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.models import Grant, Policy
from sessions.selectors import beginnings
from sessions.selectors import policies as reading
from sessions.services import policies, rehearsal
from sessions.services.rehearsal import Span
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Policies: list, show and try them; rules made from decisions.")


@app.command("list")
@verb
def several(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List the policies by name.

    Examples: aegis policy list; aegis policy list --json
    """
    rows = list(reading.readable(verbs.acting(as_user)).order_by("slug"))
    output.show(
        How(is_json, is_quiet),
        "policy.list",
        data=lambda: [codecs.show(documents.policy(one)) for one in rows],
        ids=[one.slug for one in rows],
        table=lambda: table(rows),
    )


@app.command()
@verb
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
    document = codecs.show(documents.policy(row))
    ordered = [rule_words.in_order(rule) for rule in row.rules]
    rules = "\n".join(f"{number}. {output.dump(one)}" for number, one in enumerate(ordered, 1))
    output.show_one(
        How(is_json, is_quiet), "policy.show", document, identity=row.slug, sentence=rules
    )


@app.command("test")
@verb
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
        arguments=_object(arguments),
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
    output.show_one(
        How(is_json, is_quiet),
        "policy.test",
        document,
        identity=verdict.kind,
        sentence=f"{verdict.kind} by {verdict.rule}",
    )


@app.command()
@verb
def grants(*, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    List the rules that were made from decisions and hold, the newest first.

    Examples: aegis policy grants; aegis policy grants --json
    """
    found = reading.grants(verbs.acting(as_user)).filter(revoked_at=None)
    rows = list(found.order_by("-created_at")[:1000])
    output.show(
        How(is_json, is_quiet),
        "policy.grants",
        data=lambda: [codecs.show(grant_documents.document(one)) for one in rows],
        ids=[str(one.pk) for one in rows],
        table=lambda: grant_table(rows),
    )


@app.command()
@verb
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
    document = codecs.show(grant_documents.document(row))
    output.show_one(
        How(is_json, is_quiet),
        "policy.revoke",
        document,
        identity=str(row.pk),
        sentence=f"{row.pk}  {row.tool}  taken back",
    )


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


def _object(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise ValidationFailed("--arguments takes a JSON object.", field="arguments")
    return found


def table(rows: Sequence[Policy]) -> dict[str, list[str]]:
    """The columns of a list of policies."""
    return {
        "POLICY": [row.slug for row in rows],
        "RULES": [str(len(row.rules)) for row in rows],
        "TEAM": [row.team.name if row.team else "everybody" for row in rows],
        "VERSION": [str(row.version) for row in rows],
        "DESCRIPTION": [row.description for row in rows],
    }


def grant_table(rows: Sequence[Grant]) -> dict[str, list[str]]:
    """The columns of a list of rules made from decisions."""
    return {
        "GRANT": [str(row.pk) for row in rows],
        "TOOL": [row.tool for row in rows],
        "VERDICT": [row.verdict for row in rows],
        "SCOPE": [scope(row) for row in rows],
        "BY": [row.made_by for row in rows],
        "UNTIL": [output.clock(row.until) if row.until else "" for row in rows],
    }


def scope(row: Grant) -> str:
    """What such a rule is about, in words."""
    if row.run_id:
        return f"run {row.run_id}"
    if row.session_id:
        return f"session {row.session_id}"
    return f"{row.agent.slug if row.agent else 'agent'} in {row.environment}"
