"""`aegis trigger`: what wakes agents by itself."""

from typing import Annotated, Any

import typer
from django.utils import timezone
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.api import triggers as documents
from sessions.management import beginnings as beginnings_there
from sessions.management import far, named, output, session_options, there, verbs
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.listing import Limit, Shape
from sessions.management.output import How, Misused
from sessions.management.session_options import Value
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.models import Trigger
from sessions.selectors import agents as catalogue
from sessions.selectors import beginnings
from sessions.selectors import triggers as reading
from sessions.services import triggers
from sessions.services.triggers import TriggerDraft
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Triggers: let topics or the clock wake agents.")

Id = Annotated[str, typer.Argument(metavar="TRIGGER", help="Its id, or the beginning of it.")]
Ids = Annotated[list[str], typer.Argument(metavar="TRIGGER...", help="Ids.")]


def _cause(row: Document) -> str:
    return str(row["pattern"]) or f"at {row['schedule']}"


SHAPE: Shape[Trigger] = Shape(
    noun="trigger",
    document=lambda row: codecs.show(documents.document(row)),
    name="id",
    columns={
        "TRIGGER": lambda row: str(row["id"]),
        "AGENT": lambda row: row["agent"],
        "WAKES ON": _cause,
        "IN": lambda row: row["session_key"] or "its sessions",
        "STATE": lambda row: "on" if row["is_active"] else "off",
        "LAST": lambda row: far.moment(row["last_at"]),
    },
    sentence=lambda row: f"{row['id']}  {row['agent']}  {_cause(row)}",
)


def _far_body(*, condition: str, cooldown: int, session: str, **given: str) -> dict[str, Any]:
    wanted = session_options.mapping(condition, option="--condition")
    body = {**given, "condition": wanted, "cooldown_seconds": cooldown}
    return body | ({"session": session} if session else {})


def _changes(
    *,
    pattern: str | None,
    schedule: str | None,
    condition: str | None,
    cooldown: int | None,
    **given: Any,
) -> dict[str, Any]:
    said = {
        "pattern": "" if schedule and pattern is None else pattern,
        "schedule": "" if pattern and schedule is None else schedule,
        "cooldown_seconds": cooldown,
        "condition": None
        if condition is None
        else session_options.mapping(condition, option="--condition"),
        **given,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    if not changes:
        raise Misused("Say what is to change.")
    return changes


@app.command("list")
@verb
@elsewhere(there.listed(SHAPE, "triggers"))
def several(
    *,
    agent: Annotated[str, typer.Option(help="Only those of this agent.")] = "",
    limit: Limit = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List triggers, the newest first.

    Examples: aegis trigger list --agent analyst; aegis trigger list --limit 20 --json
    """
    principal = verbs.acting(as_user)
    rows = reading.readable(principal)
    if agent:
        rows = rows.filter(agent=catalogue.read(principal, agent))
    SHAPE.newest(How(is_json, is_quiet), "list", rows, limit=limit)


@app.command()
@verb
@elsewhere(there.shown(SHAPE, "triggers", "~trigger"))
def show(trigger: Id, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Show one trigger.

    Examples: aegis trigger show 5f0c…; aegis trigger show 5f0c… --json
    """
    SHAPE.one(How(is_json, is_quiet), "show", _found(verbs.acting(as_user), trigger))


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "create", "POST", "agents", ":agent", "triggers", body=_far_body))
def create(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Whom it wakes.")],
    *,
    pattern: Annotated[str, typer.Option(help="Topics whose records wake it.")] = "",
    schedule: Annotated[str, typer.Option(help="When it is woken: cron, in UTC.")] = "",
    condition: Value = "",
    prompt: Annotated[str, typer.Option(help="What it is told; {topic}, {data}.")] = "",
    cooldown: Annotated[int, typer.Option(min=0, help="Seconds that it rests.")] = 60,
    session: Annotated[str, typer.Option(help="Only in this session.")] = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let records of topics, or the clock, wake an agent.

    Examples: aegis trigger create analyst --pattern 'prices.*' --prompt '{topic} moved: {data}';
    aegis trigger create analyst --schedule '0 7 * * 1-5' --prompt 'Sum up the night.'
    """
    principal = verbs.acting(as_user)
    draft = TriggerDraft(
        pattern=pattern,
        schedule=schedule,
        condition=session_options.mapping(condition, option="--condition"),
        prompt=prompt,
        cooldown_seconds=cooldown,
        session=named.session(principal, session, of="trigger.create") if session else None,
    )
    found = catalogue.find(principal, agent)
    made = triggers.create(principal=principal, agent=found, draft=draft)
    SHAPE.one(How(is_json, is_quiet), "create", made.trigger)


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "update", "PATCH", "triggers", "~trigger", body=_changes))
def update(
    trigger: Id,
    *,
    pattern: Annotated[str | None, typer.Option(help="Topics; in the place of a schedule.")] = None,
    schedule: Annotated[str | None, typer.Option(help="Cron; in the place of a pattern.")] = None,
    condition: Value | None = None,
    prompt: Annotated[str | None, typer.Option(help="What it is told; {topic}, {data}.")] = None,
    cooldown: Annotated[int | None, typer.Option(min=0, help="Seconds that it rests.")] = None,
    is_active: Annotated[
        bool | None, typer.Option("--on/--off", help="Whether the agent is woken.")
    ] = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Change what wakes an agent, or let it rest.

    Examples: aegis trigger update 5f0c… --off; aegis trigger update 5f0c… --cooldown 300 --on
    """
    changes = _changes(
        pattern=pattern,
        schedule=schedule,
        condition=condition,
        prompt=prompt,
        cooldown=cooldown,
        is_active=is_active,
    )
    principal = verbs.acting(as_user)
    one = beginnings.trigger(principal, trigger)
    changed = triggers.update(principal=principal, trigger=one, changes=changes)
    SHAPE.one(How(is_json, is_quiet), "update", changed.trigger)


def _far_test(
    server: Client, *, trigger: str, topic: str, data: str, is_json: bool, is_quiet: bool
) -> None:
    row = server.get("triggers", beginnings_there.far_whole(server, "triggers", reference=trigger))
    body = {"topic": topic, "data": session_options.value(data, option="--data")}
    found = server.send("POST", "triggers", row["id"], "test", body=body)
    _tried(How(is_json, is_quiet), found, row)


def _tried(how: How, found: Document, row: Document) -> None:
    lines = [
        f"It wakes {row['agent']}." if found["wakes"] else f"It wakes nobody: {found['why']}",
        f"told: {found['prompt']}",
        *(f"in {key}" for key in found["sessions"]),
        *(f"at {far.at(one).isoformat()}" for one in found["next"]),
    ]
    identity, sentence = str(row["id"]), "\n".join(lines)
    output.show_one(how, "trigger.test", found, identity=identity, sentence=sentence)


@app.command("test")
@verb
@elsewhere(_far_test)
def tried(
    trigger: Id,
    *,
    topic: Annotated[str, typer.Option(help="The topic of a record.")] = "",
    data: Value = "null",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say what a record would do, or when a schedule comes next; nothing is begun.

    Examples: aegis trigger test 5f0c… --topic prices.BTC --data '{"change": -6.5}';
    aegis trigger test 5f0c… --json
    """
    row = _found(verbs.acting(as_user), trigger)
    value = session_options.value(data, option="--data")
    found = reading.trial(row, topic=topic, data=value, now=timezone.now())
    _tried(How(is_json, is_quiet), codecs.show(documents.trial(found)), SHAPE.document(row))


@app.command()
@verb
@elsewhere(there.removed(SHAPE, "triggers", "~trigger"))
def remove(
    trigger: Ids,
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Take triggers away; their runs stay.

    Examples: aegis trigger remove 5f0c… --yes; aegis trigger remove 5f0c… 91ab… --dry-run
    """
    principal = verbs.acting(as_user)
    SHAPE.remove(
        How(is_json, is_quiet),
        trigger,
        read=lambda one: _found(principal, one),
        act=lambda one: (
            triggers.remove(principal=principal, trigger=beginnings.trigger(principal, one)).trigger
        ),
        is_sure=is_sure,
        is_dry=is_dry,
    )


def _found(principal: Principal, trigger: str) -> Trigger:
    return reading.find(principal, beginnings.trigger(principal, trigger))
