"""`aegis tag`: one's own tags and those of the system; `session tag` and `untag` put them on."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.api import tags as documents
from sessions.management import listing, named, output, there, verbs
from sessions.management.client import Client
from sessions.management.listing import Shape
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.models import Tag
from sessions.selectors import sessions
from sessions.selectors import tags as reading
from sessions.services import tags

app: Typer[..., Any] = Typer(help="Tags: list, create, change and remove them.")

Name = Annotated[str, typer.Argument(metavar="TAG", help="Its name.")]
Names = Annotated[list[str], typer.Argument(metavar="TAG...", help="Names.")]
Color = Annotated[str, typer.Option(metavar="#RRGGBB", help="Its colour.")]
About = Annotated[str, typer.Option(help="What it is for.")]


SHAPE: Shape[Tag] = Shape(
    noun="tag",
    document=documents.shown,
    name="name",
    columns={
        "TAG": lambda one: one["name"],
        "COLOUR": lambda one: one["color"],
        "OF": lambda one: "Aegis" if one["is_system"] else "you",
        "USES": lambda one: str(one["use_count"]),
        "FOR": lambda one: one["description"],
    },
    sentence=lambda one: f"{one['name']}  {one['color']}",
)


def _far_list(server: Client, *, is_popular: bool, is_json: bool, is_quiet: bool) -> None:
    found = server.get("tags", "popular") if is_popular else server.get("tags")
    SHAPE.tell(How(is_json, is_quiet), "list", found["data"])


def _far_create(server: Client, *, tag: str, is_json: bool, is_quiet: bool, **given: str) -> None:
    row = server.send("POST", "tags", body={"name": tag, **given})
    SHAPE.tell_one(How(is_json, is_quiet), "create", row)


def _far_put(
    server: Client, *, session: str, tag: list[str], is_json: bool, is_quiet: bool
) -> None:
    key = server.get("sessions", session)["key"]
    found = server.send("POST", "sessions", session, "tags", body={"tags": tag})
    _on("session.tag", key, found["data"], How(is_json, is_quiet))


def _far_take_off(
    server: Client, *, session: str, tag: list[str], is_json: bool, is_quiet: bool
) -> None:
    key, how = server.get("sessions", session)["key"], How(is_json, is_quiet)
    results = verbs.each(tag, lambda one: server.send("DELETE", "sessions", session, "tags", one))
    if results.done:
        _on("session.untag", key, server.get("sessions", session, "tags")["data"], how)
    results.end(how)


@app.command("list")
@verb
@elsewhere(_far_list)
def several(
    *,
    is_popular: Annotated[
        bool, typer.Option("--popular", help="The ten that are used most.")
    ] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List tags, those of the system first.

    Examples: aegis tag list; aegis tag list --popular --json
    """
    principal = verbs.acting(as_user)
    rows = reading.readable(principal).order_by("owner", "name", "pk")
    found = reading.popular(principal) if is_popular else list(rows)
    SHAPE.several(How(is_json, is_quiet), "list", found)


@app.command()
@verb
@elsewhere(_far_create)
def create(
    tag: Name,
    *,
    color: Color = "",
    description: About = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make a tag of one's own.

    Examples: aegis tag create needs-review --color '#f57c00';
    aegis tag create incident --description 'Somebody has to look.' --json
    """
    made = tags.create(
        principal=verbs.acting(as_user), name=tag, color=color, description=description
    )
    SHAPE.one(How(is_json, is_quiet), "create", made.tag)


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "change", "PATCH", "tags", ":tag", body=listing.said))
def change(
    tag: Name,
    *,
    color: Color = "",
    description: About = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Change the colour or description of one's own tag; what is not said stays.

    Examples: aegis tag change needs-review --color '#303f9f';
    aegis tag change needs-review --description 'Read it before Friday.'
    """
    principal = verbs.acting(as_user)
    changes = listing.said(color=color, description=description)
    tags.change(principal=principal, tag=tag, changes=changes)
    SHAPE.one(How(is_json, is_quiet), "change", reading.find(principal, tag))


@app.command()
@verb
@elsewhere(there.removed(SHAPE, "tags", ":tag"))
def remove(
    tag: Names,
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Remove one's own tags, also from the sessions that carry them.

    Examples: aegis tag remove needs-review --yes; aegis tag remove needs-review incident --dry-run
    """
    principal = verbs.acting(as_user)
    SHAPE.remove(
        How(is_json, is_quiet),
        tag,
        read=lambda one: reading.find(principal, one),
        act=lambda one: tags.remove(principal=principal, tag=one).tag,
        is_sure=is_sure,
        is_dry=is_dry,
    )


@app.command()
@verb
@elsewhere(there.listed(SHAPE, "sessions", ":session", "tags", "suggested", verb="suggest"))
def suggest(
    session: Reference, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    List at most five tags that would suit a session.

    Examples: aegis tag suggest demo; aegis tag suggest demo --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    found = reading.suggested(principal, str(row.pk))
    SHAPE.several(How(is_json, is_quiet), "suggest", found)


@elsewhere(_far_put)
def put(
    session: Reference,
    tag: Names,
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Put tags on a session; those that there are not are made.

    Examples: aegis session tag demo important needs-review; aegis session tag demo incident --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="session.tag")
    done = tags.put(principal=principal, session=row, names=tag)
    _on("session.tag", row.key, done.names, How(is_json, is_quiet))


@elsewhere(_far_take_off)
def take_off(
    session: Reference,
    tag: Names,
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Take tags off a session.

    Examples: aegis session untag demo important;
    aegis session untag demo important needs-review --json
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    row = named.session(principal, session, of="session.untag")
    results = verbs.each(
        tag, lambda one: tags.take_off(principal=principal, session=row, name=one).names
    )
    if results.done:
        _on("session.untag", row.key, results.done[-1], how)
    results.end(how)


def add_to(noun: Typer[..., Any]) -> None:
    """Let `aegis session` have the verbs that are about its tags."""
    noun.command("tag")(verb(put))
    noun.command("untag")(verb(take_off))


def _on(name: str, key: str, names: list[str], how: How) -> None:
    sentence = f"{key}  {' '.join(names) or '–'}"
    data = {"session": key, "tags": names}
    output.show_one(how, name, data, identity="\n".join(names), sentence=sentence)
