"""Making and changing templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from aegis_project.kit.errors import PermissionDenied, PreconditionFailed, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import recipes
from sessions.core.library_errors import TemplateAlreadyExists
from sessions.core.recipes import Category, Recipe
from sessions.models import Message, Preset, PresetVersion, Session
from sessions.selectors import history, presets
from sessions.services.moving import Reference
from streaming.services.commands import Trace, command

SCOPE = "templates:write"
EDITABLE = ("name", "description", "category")
LONGEST = {"name": 200, "description": 10_000, "note": 200}
MOST_MESSAGES = 50


@dataclass(frozen=True, slots=True)
class About:
    """How a template is called; without a team it is of every team."""

    slug: str
    name: str = ""
    description: str = ""
    category: str = Category.CUSTOM.value
    team: Group | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A template as it is now."""

    preset: Preset

    def audit(self) -> Trace:
        detail = {"version": self.preset.version, "head": self.preset.head}
        return Trace(session_id=None, target=self.preset.slug, detail=detail)


@command("template.create", scope=SCOPE)
def create(*, principal: Principal, about: About, recipe: Any, note: str = "") -> Changed:
    """
    Make a template; its recipe is version 1.

    :raises ValidationFailed: for a slug, text or recipe that cannot be
    :raises PermissionDenied: for a team that is not the principal's, or every team
    :raises TemplateAlreadyExists: if there is one of this slug
    """
    return Changed(_make(principal, about, recipes.read(recipe), note))


@command("template.from_session", scope=SCOPE)
def from_session(
    *, principal: Principal, about: About, session: Reference, messages: int = 0
) -> Changed:
    """
    Make a template from a session as it is, and from at most 50 of its first messages.

    Who takes part is declared; what happened, memory and results stay with the session.

    :raises PermissionDenied: without the scope to read it, or its messages if some are wanted
    :raises SessionNotFound: if it is not there for the principal
    :raises ValidationFailed: for a slug, text or number that cannot be
    :raises TemplateAlreadyExists: if there is one of this slug
    """
    row, found = presets.of_session(principal, session)
    if not 0 <= messages <= MOST_MESSAGES:
        raise ValidationFailed(f"At most {MOST_MESSAGES} messages.", field="messages")
    said = _first_messages(principal, row, messages)
    recipe = recipes.read({**found, "messages": said})
    return Changed(_make(principal, about, recipe, f"from {row.key}"[: LONGEST["note"]]))


@command("template.change", scope=SCOPE)
def change(
    *,
    principal: Principal,
    template: str,
    changes: Mapping[str, Any],
    recipe: Any = None,
    note: str = "",
    version: int | None = None,
) -> Changed:
    """
    Change what a template is called, or give it a new version of its recipe, at once in use.

    ``version`` is the newest that the caller saw. Sessions keep what they were made from.

    :raises TemplateNotFound: if it is not there for the principal
    :raises PermissionDenied: if it is of the system, or of a team that is not the principal's
    :raises PreconditionFailed: if it has a newer version
    :raises ValidationFailed: for a field that is none, or a value that cannot be
    """
    row = _own(principal, template)
    if version is not None and version != row.head:
        raise PreconditionFailed(version=row.head)
    unknown = sorted(changes.keys() - set(EDITABLE))
    if unknown:
        raise ValidationFailed("A template has no such fields.", fields=unknown)
    _check(**{name: str(value) for name, value in changes.items()}, note=note)
    for name, value in changes.items():
        setattr(row, name, value)
    if recipe is not None:
        _add(row, recipes.read(recipe), principal, note)
    row.save()
    return Changed(row)


@command("template.activate", scope=SCOPE)
def activate(*, principal: Principal, template: str, version: int) -> Changed:
    """
    Let a version, an older one too, be the one that sessions are made from.

    :raises TemplateNotFound: if it is not there for the principal, or has no such version
    :raises PermissionDenied: if it is of the system, or of a team that is not the principal's
    """
    row = _own(principal, template)
    row.version = presets.version_of(row, version).version
    row.save()
    return Changed(row)


@command("template.remove", scope=SCOPE)
def remove(*, principal: Principal, template: str) -> Changed:
    """
    Remove a template with its versions; sessions keep its slug and their version.

    :raises TemplateNotFound: if it is not there for the principal
    :raises PermissionDenied: if it is of the system, or of a team that is not the principal's
    """
    row = _own(principal, template)
    gone = Changed(Preset.objects.get(pk=row.pk))
    row.delete()
    return gone


def _make(principal: Principal, about: About, recipe: Recipe, note: str) -> Preset:
    recipes.check_slug(about.slug)
    said = {"name": about.name or about.slug, "description": about.description}
    _check(**said, category=about.category, note=note)
    _check_reach(principal, about.team.pk if about.team else None)
    # One of the system that was never loaded has its slug, too.
    presets.ready()
    row = Preset(
        slug=about.slug,
        **said,
        category=about.category,
        team=about.team,
        author=principal.actor,
        head=0,
    )
    try:
        with transaction.atomic():
            row.save()
            _add(row, recipe, principal, note)
            row.save()
    except IntegrityError:
        raise TemplateAlreadyExists(
            f"A template {about.slug} exists.", template=about.slug
        ) from None
    return row


def _add(row: Preset, recipe: Recipe, principal: Principal, note: str) -> None:
    row.head += 1
    row.version = row.head
    PresetVersion.objects.create(
        preset=row,
        version=row.head,
        recipe=recipes.kept(recipe),
        note=note,
        author=principal.actor,
    )


def _first_messages(principal: Principal, row: Session, most: int) -> list[dict[str, str]]:
    if not most:
        return []
    history.readable(principal, str(row.pk))
    said = Message.objects.of_session(row.pk).exclude(role="tool")[:most]
    return [{"role": one.role, "content": one.content} for one in said]


def _own(principal: Principal, slug: str) -> Preset:
    found = presets.find(principal, slug)
    if found.is_system:
        raise PermissionDenied("A template of the system does not change.", template=slug)
    _check_reach(principal, found.team_id)
    return Preset.objects.select_for_update(of=("self",), no_key=True).get(pk=found.pk)


def _check_reach(principal: Principal, team_id: int | None) -> None:
    # What is of every team is for whoever sees every team.
    is_reached = principal.teams is None if team_id is None else principal.sees_team(team_id)
    if not is_reached:
        raise PermissionDenied("There is no such team for you.")


def _check(**texts: str) -> None:
    for field, text in texts.items():
        if field == "category":
            if text not in list(Category):
                raise ValidationFailed(f"It is one of {', '.join(Category)}.", field=field)
        elif len(text) > LONGEST[field] or "\x00" in text:
            raise ValidationFailed(f"{field} has at most {LONGEST[field]} characters.", field=field)
