"""`aegis template`: versioned recipes for sessions."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.api import template_documents as documents
from sessions.core.recipes import Category
from sessions.management import (
    aegis_template_files,
    far_templates,
    listing,
    named,
    session_options,
    session_tables,
    template_tables,
    there,
    verbs,
)
from sessions.management.output import How
from sessions.management.session_options import Value
from sessions.management.template_tables import SHAPE
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.selectors import presets as reading
from sessions.services import presets, trying
from streaming.api import codecs

app: Typer[..., Any] = Typer(
    help="Templates: list, show, create, change, compare, try, export and import them."
)

Slug = Annotated[str, typer.Argument(metavar="TEMPLATE", help="Its slug.")]
Name = Annotated[str, typer.Option(help="Its name.")]
Description = Annotated[str, typer.Option(help="What it is for.")]
Kind = Annotated[Category | None, typer.Option("--category", help="What it is for, in a word.")]
Team = Annotated[str, typer.Option(help="Its team.")]
Note = Annotated[str, typer.Option(help="What is new in this version.")]
Number = Annotated[int | None, typer.Option(min=1, help="A version; by default the one in use.")]


@app.command("list")
@verb
@elsewhere(there.listed(SHAPE, "templates"))
def several(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List templates, the newest first.

    Examples: aegis template list; aegis template list --limit 20 --json
    """
    rows = reading.readable(verbs.acting(as_user))
    SHAPE.newest(How(is_json, is_quiet), "list", rows, limit=limit)


@app.command()
@verb
@elsewhere(far_templates.show)
def show(
    template: Slug,
    *,
    number: Number = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Show a template with its recipe.

    Examples: aegis template show market-stream --json; aegis template show desk --number 1
    """
    row = reading.find(verbs.acting(as_user), template)
    found = reading.version_of(row, number)
    template_tables.card(template_tables.shown(row), found.recipe, How(is_json, is_quiet))


@app.command()
@verb
@elsewhere(far_templates.versions)
def versions(
    template: Slug, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    List the versions of a template, the newest first.

    Examples: aegis template versions desk; aegis template versions desk --json
    """
    row = reading.find(verbs.acting(as_user), template)
    found = reading.versions(row)
    rows = [codecs.show(documents.version(one, active=row.version)) for one in found]
    template_tables.show_versions(rows, How(is_json, is_quiet))


@app.command()
@verb
@elsewhere(there.sent(SHAPE, "create", "POST", "templates", body=far_templates.draft))
def create(
    template: Slug,
    recipe: Annotated[str, typer.Argument(metavar="JSON|@FILE", help="The recipe.")],
    *,
    name: Name = "",
    description: Description = "",
    category: Kind = None,
    team: Team = "",
    note: Note = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make a template.

    Examples: aegis template create desk @recipe.json --name 'Our desk';
    aegis template create plain '{}' --category custom --team desk
    """
    principal = verbs.acting(as_user)
    about = template_tables.about(principal, template, name, description, category, team)
    made = presets.create(
        principal=principal,
        about=about,
        recipe=session_options.mapping(recipe, option="RECIPE"),
        note=note,
    )
    SHAPE.one(How(is_json, is_quiet), "create", made.preset)


@app.command("from-session")
@verb
@elsewhere(
    there.sent(
        SHAPE, "from-session", "POST", "templates", "from-session", body=far_templates.of_session
    )
)
def from_session(
    template: Slug,
    session: session_options.Reference,
    *,
    messages: Annotated[int, typer.Option(min=0, max=50, help="First messages to keep.")] = 0,
    name: Name = "",
    description: Description = "",
    category: Kind = None,
    team: Team = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make a template from a session as it is.

    Examples: aegis template from-session desk btc-demo --messages 1;
    aegis template from-session desk btc-demo --category streams --json
    """
    principal = verbs.acting(as_user)
    made = presets.from_session(
        principal=principal,
        about=template_tables.about(principal, template, name, description, category, team),
        session=named.session(principal, session, of="template.from_session"),
        messages=messages,
    )
    SHAPE.one(How(is_json, is_quiet), "from-session", made.preset)


@app.command()
@verb
@elsewhere(
    there.sent(SHAPE, "change", "PATCH", "templates", ":template", body=far_templates.changes)
)
def change(
    template: Slug,
    *,
    recipe: Value = "",
    name: Name = "",
    description: Description = "",
    category: Kind = None,
    note: Note = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Change what a template is called, or give it a new version; what is not said stays.

    Examples: aegis template change desk --recipe @recipe.json --note 'records its topics';
    aegis template change desk --name 'The desk' --json
    """
    changes = listing.said(name=name, description=description, category=category and category.value)
    changed = presets.change(
        principal=verbs.acting(as_user),
        template=template,
        changes=changes,
        recipe=session_options.mapping(recipe, option="--recipe") if recipe else None,
        note=note,
    )
    SHAPE.one(How(is_json, is_quiet), "change", changed.preset)


@app.command()
@verb
@elsewhere(
    there.sent(
        SHAPE, "activate", "POST", "templates", ":template", "activate", body=far_templates.number
    )
)
def activate(
    template: Slug,
    number: Annotated[int, typer.Argument(min=1, help="A version.")],
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let a version, an older one too, be the one that sessions are made from.

    Examples: aegis template activate desk 1; aegis template activate desk 1 --json
    """
    done = presets.activate(principal=verbs.acting(as_user), template=template, version=number)
    SHAPE.one(How(is_json, is_quiet), "activate", done.preset)


@app.command("test")
@verb
@elsewhere(far_templates.on_paper)
def on_paper(
    template: Slug,
    *,
    number: Number = None,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Try a template on paper: a session that starts, and whose tools carry nothing out beyond it.

    Examples: aegis template test market-stream; aegis template test desk --number 2
    """
    made = trying.on_paper(principal=verbs.acting(as_user), template=template, version=number)
    [shown] = session_tables.shown([made.session])
    far_templates.tell_trial(How(is_json, is_quiet), shown)


@app.command()
@verb
@elsewhere(far_templates.diff)
def diff(
    template: Slug,
    before: Annotated[int, typer.Argument(min=1, help="A version.")],
    after: Annotated[int | None, typer.Argument(min=1, help="Another; the one in use.")] = None,
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Show the places at which two versions differ.

    Examples: aegis template diff desk 1 2; aegis template diff desk 1 --json
    """
    row = reading.find(verbs.acting(as_user), template)
    found = reading.difference(row, before, after)
    rows = [codecs.show(documents.difference(one)) for one in found]
    template_tables.show_differences(rows, How(is_json, is_quiet))


@app.command()
@verb
@elsewhere(there.removed(SHAPE, "templates", ":template"))
def remove(
    template: Annotated[list[str], typer.Argument(metavar="TEMPLATE...", help="Slugs.")],
    *,
    is_sure: Yes = False,
    is_dry: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Remove templates with their versions; sessions stay as they are.

    Examples: aegis template remove desk --yes; aegis template remove desk our-desk --dry-run
    """
    principal = verbs.acting(as_user)
    SHAPE.remove(
        How(is_json, is_quiet),
        template,
        read=lambda one: reading.find(principal, one),
        act=lambda one: presets.remove(principal=principal, template=one).preset,
        is_sure=is_sure,
        is_dry=is_dry,
    )


aegis_template_files.add_to(app)
