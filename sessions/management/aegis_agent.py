"""`aegis agent`: the catalogue of agents."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer
from django.contrib.auth.models import Group
from django_typer.management import Typer

from aegis_project.health import Finding, State
from aegis_project.kit.principal import Principal
from sessions.api import agent_documents as documents
from sessions.core.catalogue import AgentDraft
from sessions.management import aegis_doctor, listing, session_options, there, verbs
from sessions.management.client import Client
from sessions.management.listing import Limit, Shape
from sessions.management.output import How
from sessions.management.session_options import Value
from sessions.management.verbs import As, DryRun, Exit, Json, Quiet, Yes, elsewhere, verb
from sessions.models import Agent
from sessions.selectors import agents as catalogue
from sessions.selectors import teams
from sessions.services import agents
from sessions.toolbox import checking
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Agents: list, show, create, update, check and remove them.")

Slug = Annotated[str, typer.Argument(metavar="AGENT", help="Its slug.")]
Name = Annotated[str, typer.Option(help="Its name.")]
Model = Annotated[str, typer.Option(help="PROVIDER:MODEL, or default.")]
Instructions = Annotated[str, typer.Option(help="What it is told to be.")]
Description = Annotated[str, typer.Option(help="What others are told of it.")]
Tools = Annotated[list[str], typer.Option("--tool", help="A tool, or a pattern of them.")]
Policy = Annotated[str, typer.Option(help="The policy of its tool calls.")]
Seen = Annotated[
    Literal["public", "internal", "private"] | None, typer.Option(help="Who learns of it.")
]
Team = Annotated[str, typer.Option(help="Its team.")]


SHAPE: Shape[Agent] = Shape(
    noun="agent",
    document=lambda row: codecs.show(documents.agent(row)),
    name="slug",
    columns={
        "AGENT": lambda row: row["slug"],
        "MODEL": lambda row: row["model"],
        "SEEN BY": lambda row: row["visibility"] if row["is_active"] else "resting",
        "TEAM": lambda row: row["team"] or "–",
        "TOOLS": lambda row: " ".join(row["tools"]) or "–",
        "NAME": lambda row: row["name"],
    },
    sentence=lambda row: (
        f"{row['slug']}  {row['model']}  {row['name']}{'' if row['is_active'] else '  (resting)'}"
    ),
)


def _far_body(*, agent: str, name: str, visibility: str | None, **given: Any) -> dict[str, Any]:
    body = {"slug": agent, "name": name or agent, "visibility": visibility or "public"}
    return {**body, **_changes(**given)}


def _changes(
    *, tool: list[str], model_settings: str, active: bool | None = None, **given: Any
) -> dict[str, Any]:
    changes = listing.said(**given, tools=tool, is_active=active)
    if model_settings:
        changes["settings"] = session_options.mapping(model_settings, option="--model-settings")
    return changes


def _team(principal: Principal, name: str) -> Group | None:
    if not name and principal.teams is None:
        return None
    return teams.for_new(principal, name)


@app.command("list")
@verb
@elsewhere(there.listed(SHAPE, "agents"))
def several(
    *,
    limit: Limit = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List agents, the newest first.

    Examples: aegis agent list --json; aegis agent list --limit 20 --fields slug,model
    """
    rows = catalogue.readable(verbs.acting(as_user))
    SHAPE.newest(How(is_json, is_quiet), "list", rows, limit=limit)


@app.command()
@verb
@elsewhere(there.shown(SHAPE, "agents", ":agent"))
def show(agent: Slug, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False) -> None:
    """
    Show one agent.

    Examples: aegis agent show assistant; aegis agent show assistant --json
    """
    SHAPE.one(How(is_json, is_quiet), "show", catalogue.read(verbs.acting(as_user), agent))


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "create", "POST", "agents", body=_far_body))
def create(
    agent: Slug,
    *,
    name: Name = "",
    model: Model = "default",
    instructions: Instructions = "",
    description: Description = "",
    tool: Tools = [],  # noqa: B006 -- typer reads it and never changes it
    policy: Policy = "",
    visibility: Seen = None,
    team: Team = "",
    model_settings: Value = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Enter an agent in the catalogue.

    Examples: aegis agent create analyst --model openai:gpt-5 --instructions 'Be brief.';
    aegis agent create trader --tool 'topic_*' --policy manual --visibility internal
    """
    principal = verbs.acting(as_user)
    draft = AgentDraft(
        slug=agent,
        name=name or agent,
        model=model,
        instructions=instructions,
        description=description,
        tools=tool,
        policy=policy,
        visibility=visibility or "public",
        settings=session_options.mapping(model_settings, option="--model-settings"),
    )
    made = agents.create(principal=principal, draft=draft, team=_team(principal, team))
    SHAPE.one(How(is_json, is_quiet), "create", made.agent)


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "update", "PATCH", "agents", ":agent", body=_changes))
def update(
    agent: Slug,
    *,
    name: Name = "",
    model: Model = "",
    instructions: Instructions = "",
    description: Description = "",
    tool: Tools = [],  # noqa: B006 -- typer reads it and never changes it
    policy: Policy = "",
    visibility: Seen = None,
    team: Team = "",
    model_settings: Value = "",
    active: Annotated[bool | None, typer.Option("--active/--resting", help="In use?")] = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Change an agent; what is not said stays.

    Examples: aegis agent update analyst --model azure:mine; aegis agent update analyst --resting
    """
    principal = verbs.acting(as_user)
    changes = _changes(
        name=name,
        model=model,
        instructions=instructions,
        description=description,
        tool=tool,
        policy=policy,
        visibility=visibility,
        model_settings=model_settings,
        active=active,
    )
    if team:
        changes["team"] = _team(principal, team)
    changed = agents.update(principal=principal, agent=agent, changes=changes)
    SHAPE.one(How(is_json, is_quiet), "update", changed.agent)


def _far_check(server: Client, *, agent: str, call: bool, is_json: bool, is_quiet: bool) -> None:
    rows = server.send("POST", "agents", agent, "check", body={"call": call})["data"]
    found = [
        Finding(row["item"], State(row["state"]), row["said"], row["fix"], row["snoozed"])
        for row in rows
    ]
    _checked(How(is_json, is_quiet), found)


@app.command()
@verb
@elsewhere(_far_check)
def check(
    agent: Slug,
    *,
    call: Annotated[
        bool, typer.Option("--call", help="Ask its model a short question, too; it may cost.")
    ] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say whether an agent could work now: its model, tools and policy; 9 when it could not.

    Examples: aegis agent check assistant; aegis agent check analyst --call
    """
    found = checking.check(verbs.acting(as_user), agent, calls=call)
    _checked(How(is_json, is_quiet), found)


def _checked(how: How, found: Sequence[Finding]) -> None:
    aegis_doctor.show(how, "agent.check", found)
    if any(one.state is State.ERROR for one in found):
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command()
@verb
@elsewhere(there.removed(SHAPE, "agents", ":agent"))
def remove(
    agent: Annotated[list[str], typer.Argument(metavar="AGENT...", help="Slugs.")],
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Take agents out of the catalogue; what their runs said stays.

    Examples: aegis agent remove analyst --yes; aegis agent remove analyst trader --dry-run
    """
    principal = verbs.acting(as_user)
    SHAPE.remove(
        How(is_json, is_quiet),
        agent,
        read=lambda one: catalogue.read(principal, one),
        act=lambda one: agents.remove(principal=principal, agent=one).agent,
        is_sure=is_sure,
        is_dry=is_dry,
    )
