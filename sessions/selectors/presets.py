"""Reading templates, their versions, and what differs between two."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from aegis_project import database
from aegis_project.kit.principal import Principal
from sessions.core import capsule, differences, presets, recipes
from sessions.core.differences import Difference
from sessions.core.library_errors import TemplateNotFound
from sessions.core.presets import System
from sessions.models import Preset, PresetVersion, Session
from sessions.selectors import sessions

FORMAT = "aegis.template/1"
"""What an exported template calls itself."""

HIGHEST = 2**31 - 1


def readable(principal: Principal) -> QuerySet[Preset]:
    """
    The templates that the principal may read: those of every team and of its own.

    :raises PermissionDenied: without the scope templates:read
    """
    principal.require("templates:read")
    ready()
    rows = Preset.objects.select_related("team")
    if principal.teams is None:
        return rows
    return rows.filter(Q(team=None) | Q(team__in=principal.teams))


def find(principal: Principal, slug: str) -> Preset:
    """
    One template by its slug.

    :raises PermissionDenied: without the scope templates:read
    :raises TemplateNotFound: if it is not there for the principal
    """
    found = readable(principal).filter(slug=slug).first() if "\x00" not in slug else None
    if found is None:
        raise TemplateNotFound(template=slug[:100])
    return found


def version_of(preset: Preset, number: int | None = None) -> PresetVersion:
    """
    One version of a template, by default the one in use.

    :raises TemplateNotFound: if it has no such version
    """
    wanted = preset.version if number is None else number
    found = preset.versions.filter(version=wanted).first() if 0 < wanted <= HIGHEST else None
    if found is None:
        raise TemplateNotFound(
            f"The template {preset.slug} has no version {wanted}.",
            template=preset.slug,
            version=wanted,
        )
    return found


def versions(preset: Preset) -> QuerySet[PresetVersion]:
    """All versions of a template, the newest first."""
    return preset.versions.order_by("-version")


def difference(preset: Preset, first: int, second: int | None) -> list[Difference]:
    """
    What changed from one version of a template to another, by default the one in use.

    :raises TemplateNotFound: if it has no such version
    """
    before, after = version_of(preset, first), version_of(preset, second)
    return list(differences.between(before.recipe, after.recipe))


def moved_on(principal: Principal, session: Session) -> Preset | None:
    """The template of a session, if it is in use in another version than the session was made of."""
    if not session.template or not principal.allows("templates:read"):
        return None
    others = readable(principal).filter(slug=session.template)
    return others.exclude(version=session.template_version or 0).first()


def of_session(
    principal: Principal, session: Session | UUID | str
) -> tuple[Session, dict[str, Any]]:
    """
    A session, and the recipe that would make one like it; without what was said in it.

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if it is not there for the principal
    """
    principal.require("sessions:read")
    row = sessions.find(principal, session)
    return row, _recipe(row)


def _recipe(row: Session) -> dict[str, Any]:
    parts = row.components.select_related("program").order_by("created_at")
    return {
        "name": row.name,
        "kind": row.kind,
        "mode": row.mode,
        "environment": row.environment,
        "agent": row.agent,
        "context": row.context,
        "config": row.config,
        "metadata": row.metadata,
        "tags": row.tags,
        "components": [
            {
                "name": part.name,
                "role": part.role,
                "required": part.required,
                "topics": part.topics,
                "program": part.program.name if part.program else "",
            }
            for part in parts
        ],
    }


def exported(preset: Preset, number: int | None = None) -> dict[str, object]:
    """
    A version of a template as a document that can be imported elsewhere.

    Texts whose names say that they are secrets are left out, as of a capsule.

    :raises TemplateNotFound: if it has no such version
    """
    return {
        "format": FORMAT,
        "slug": preset.slug,
        "name": preset.name,
        "description": preset.description,
        "category": preset.category,
        "recipe": capsule.redact(version_of(preset, number).recipe),
    }


def ready() -> None:
    """Let the templates of the system be there, each in the version that this Aegis has."""
    slugs = [one.slug for one in presets.SYSTEM]
    rows = Preset.objects.filter(slug__in=slugs).values_list("slug", "head", "is_system")
    # Somebody's own template keeps its slug when a later Aegis brings one of the same.
    known = {slug: head if is_system else HIGHEST for slug, head, is_system in rows}
    behind = [one for one in presets.SYSTEM if known.get(one.slug, 0) < one.version]
    if not behind:
        return
    with database.atomic():
        for one in behind:
            _load(one)


def _load(system: System) -> None:
    said = {
        "name": system.name,
        "description": system.description,
        "category": system.category.value,
        "is_system": True,
        "version": system.version,
        "head": system.version,
    }
    preset, _ = Preset.objects.update_or_create(slug=system.slug, defaults=said)
    recipe = recipes.kept(recipes.read(system.recipe))
    PresetVersion.objects.get_or_create(
        preset=preset, version=system.version, defaults={"recipe": recipe, "author": "system"}
    )
