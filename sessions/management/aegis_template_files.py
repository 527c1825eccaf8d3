"""`aegis template export` and `import`: templates on their way from one Aegis to another."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.core.recipes import Category
from sessions.management import far_templates, output, template_tables, verbs
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.selectors import presets as reading
from sessions.services import presets
from sessions.services.presets import About

Slug = Annotated[str, typer.Argument(metavar="TEMPLATE", help="Its slug.")]
Team = Annotated[str, typer.Option(help="Its team.")]
Number = Annotated[int | None, typer.Option(min=1, help="A version; by default the one in use.")]


@elsewhere(far_templates.export)
def export(template: Slug, *, number: Number = None, as_user: As = "") -> None:
    """
    Write a template as a document for another Aegis.

    Examples: aegis template export desk > desk.json;
    aegis template export desk --number 1 > desk-1.json
    """
    row = reading.find(verbs.acting(as_user), template)
    output.line(reading.exported(row, number))


@elsewhere(far_templates.bring)
def import_(
    document: Annotated[str, typer.Argument(metavar="JSON|@FILE", help="What was exported.")],
    *,
    template: Annotated[str, typer.Option("--slug", help="Another slug.")] = "",
    team: Team = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Make a template from what another Aegis exported.

    Examples: aegis template import @desk.json --slug our-desk;
    aegis template import @desk.json --team desk
    """
    principal = verbs.acting(as_user)
    said = template_tables.exported(document)
    about = About(
        slug=template or str(said.get("slug", "")),
        name=str(said.get("name", "")),
        description=str(said.get("description", "")),
        category=str(said.get("category", Category.CUSTOM.value)),
        team=template_tables.team_of(principal, team),
    )
    made = presets.create(
        principal=principal, about=about, recipe=said.get("recipe"), note="imported"
    )
    template_tables.SHAPE.one(How(is_json, is_quiet), "import", made.preset)


def add_to(noun: Typer[..., Any]) -> None:
    """Let `aegis template` have these verbs."""
    noun.command("export")(verb(export))
    noun.command("import")(verb(import_))
