"""Templates as the command line shows them."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Group

from aegis_project.kit.principal import Principal
from sessions.api import template_documents as documents
from sessions.core.recipes import Category
from sessions.management import far, output, session_options
from sessions.management.far import Columns, Document
from sessions.management.listing import Shape
from sessions.management.output import How, Misused
from sessions.models import Preset
from sessions.selectors import presets, teams
from sessions.services.presets import About
from streaming.api import codecs


def shown(row: Preset) -> dict[str, Any]:
    """A template as every interface shows it."""
    return codecs.show(documents.template(row))


SHAPE: Shape[Preset] = Shape(
    noun="template",
    document=shown,
    name="slug",
    columns={
        "TEMPLATE": lambda one: one["slug"],
        "CATEGORY": lambda one: one["category"],
        "VERSION": lambda one: f"{one['version']}/{one['head']}",
        "OF": lambda one: "Aegis" if one["is_system"] else one["team"] or "every team",
        "USES": lambda one: str(one["use_count"]),
        "NAME": lambda one: one["name"],
    },
    sentence=lambda one: f"{one['slug']}  version {one['version']} of {one['head']}  {one['name']}",
)
VERSIONS: Columns = {
    "VERSION": lambda one: str(one["version"]),
    "IN USE": lambda one: "yes" if one["is_active"] else "",
    "BY": lambda one: one["author"],
    "MADE": lambda one: far.moment(one["created_at"]),
    "NOTE": lambda one: one["note"],
}
DIFFERENCES: Columns = {
    "PLACE": lambda one: one["path"],
    "": lambda one: one["kind"],
    "BEFORE": lambda one: _value(one["before"]),
    "AFTER": lambda one: _value(one["after"]),
}


def card(row: Document, recipe: Any, how: How) -> None:
    """A template with its recipe; the recipe alone, as JSON, for people."""
    data, said = {**row, "recipe": recipe}, f"{row['name']}\n{output.dump(recipe)}"
    output.show_one(how, "template.show", data, identity=row["slug"], sentence=said)


def show_versions(rows: Sequence[Document], how: How) -> None:
    """The versions of a template in the form that was asked for."""
    output.show(
        how,
        "template.versions",
        data=lambda: rows,
        ids=[str(one["version"]) for one in rows],
        table=lambda: far.table(VERSIONS, rows),
    )


def show_differences(rows: Sequence[Document], how: How) -> None:
    """What differs between two versions in the form that was asked for."""
    output.show(
        how,
        "template.diff",
        data=lambda: rows,
        ids=[one["path"] for one in rows],
        table=lambda: far.table(DIFFERENCES, rows),
    )


def _value(value: Any) -> str:
    return "" if value is None else output.dump(value)


def about(
    principal: Principal,
    slug: str,
    name: str,
    description: str,
    category: Category | None,
    team: str,
) -> About:
    """How a template is to be called, of the options that say it."""
    return About(
        slug=slug,
        name=name,
        description=description,
        category=(category or Category.CUSTOM).value,
        team=team_of(principal, team),
    )


def team_of(principal: Principal, name: str) -> Group | None:
    """The team that was named, else one's only one; every team for who sees all and named none."""
    if not name and principal.teams is None:
        return None
    return teams.for_new(principal, name)


def exported(text: str) -> dict[str, Any]:
    """
    The document of a template that another Aegis exported.

    :raises Misused: for any other
    """
    said = session_options.mapping(text, option="DOCUMENT")
    if said.get("format") != presets.FORMAT:
        raise Misused(f"This is no document of the format {presets.FORMAT}.")
    return said
