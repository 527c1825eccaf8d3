"""Templates as the command line shows them."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Group

from aegis_project.kit.principal import Principal
from sessions.api import template_documents as documents
from sessions.core.differences import Difference
from sessions.core.recipes import Category
from sessions.management import output
from sessions.management.listing import Shape
from sessions.management.output import How
from sessions.models import Preset, PresetVersion
from sessions.selectors import teams
from sessions.services.presets import About
from streaming.api import codecs


def shown(row: Preset) -> dict[str, Any]:
    """A template as every interface shows it."""
    return codecs.show(documents.template(row))


def _table(rows: Sequence[Preset]) -> dict[str, list[str]]:
    return {
        "TEMPLATE": [one.slug for one in rows],
        "CATEGORY": [one.category for one in rows],
        "VERSION": [f"{one.version}/{one.head}" for one in rows],
        "OF": ["Aegis" if one.is_system else _team(one) for one in rows],
        "USES": [str(one.use_count) for one in rows],
        "NAME": [one.name for one in rows],
    }


SHAPE: Shape[Preset] = Shape(
    noun="template",
    document=shown,
    identity=lambda one: one.slug,
    table=_table,
    sentence=lambda one: f"{one.slug}  version {one.version} of {one.head}  {one.name}",
)


def card(name: str, row: Preset, version: PresetVersion, how: How) -> None:
    """A template with its recipe; the recipe alone, as JSON, for people."""
    data = {**shown(row), "recipe": version.recipe}
    output.show_one(
        how, name, data, identity=row.slug, sentence=f"{row.name}\n{output.dump(version.recipe)}"
    )


def show_versions(row: Preset, rows: Sequence[PresetVersion], how: How) -> None:
    """The versions of a template in the form that was asked for."""
    output.show(
        how,
        "template.versions",
        data=lambda: [codecs.show(documents.version(one, active=row.version)) for one in rows],
        ids=[str(one.version) for one in rows],
        table=lambda: {
            "VERSION": [str(one.version) for one in rows],
            "IN USE": ["yes" if one.version == row.version else "" for one in rows],
            "BY": [one.author for one in rows],
            "MADE": [output.age(one.created_at) for one in rows],
            "NOTE": [one.note for one in rows],
        },
    )


def show_differences(found: Sequence[Difference], how: How) -> None:
    """What differs between two versions in the form that was asked for."""
    output.show(
        how,
        "template.diff",
        data=lambda: [codecs.show(documents.difference(one)) for one in found],
        ids=[one.path for one in found],
        table=lambda: {
            "PLACE": [one.path for one in found],
            "": [one.kind for one in found],
            "BEFORE": [_value(one.before) for one in found],
            "AFTER": [_value(one.after) for one in found],
        },
    )


def _value(value: Any) -> str:
    return "" if value is None else output.dump(value)


def _team(row: Preset) -> str:
    return row.team.name if row.team else "every team"


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
