"""Making sessions from templates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F
from django.utils import timezone

from aegis_project.kit.principal import Principal
from components.services.registry import Expected
from sessions.core import recipes
from sessions.core.conversation import Role
from sessions.core.lifecycle import Environment, Mode
from sessions.core.recipes import Recipe
from sessions.models import Preset, PresetVersion, Session
from sessions.selectors import presets
from sessions.services import creation, messages, tags
from sessions.services.creation import Draft
from sessions.services.outcome import Outcome
from streaming.services.commands import command

OBJECTS = ("context", "config", "memory", "metadata")


@dataclass(frozen=True, slots=True)
class Wishes:
    """
    What a session of a template is to have of its own; what is empty is as the template says.

    The members of objects are added to those of the template. ``version`` is by default the one
    in use.
    """

    version: int | None = None
    key: str = ""
    name: str = ""
    mode: Mode | None = None
    environment: Environment | None = None
    agent: str = ""
    team: str = ""
    owner_label: str = ""
    objects: Mapping[str, Any] = field(default_factory=dict)
    expected: tuple[Expected, ...] = ()
    tags: tuple[str, ...] = ()


NOTHING = Wishes()


@command("template.apply", scope="sessions:write")
def apply(
    *,
    principal: Principal,
    template: str,
    wishes: Wishes = NOTHING,
    with_token: bool = False,
) -> Outcome:
    """
    Make a session in ``created`` from a template: components, topics, messages, tags, policy.

    The session keeps the template and its version; later versions do not change it.

    :raises PermissionDenied: without the scope templates:read
    :raises TemplateNotFound: if it is not there for the principal, or has no such version
    :raises SessionAlreadyExists: if the team has a session with this key
    :raises ValidationFailed: for a value that cannot be
    """
    preset = presets.find(principal, template)
    version = presets.version_of(preset, wishes.version)
    recipe = recipes.read(version.recipe)
    made = creation.make(
        principal=principal,
        draft=draft_of(preset, version, recipe, wishes),
        expected=expected_of(recipe, wishes),
        with_token=with_token,
    )
    tags.put_on(made.session, principal=principal, names=[*recipe.tags, *wishes.tags])
    say(made.session, recipe, principal)
    Preset.objects.filter(pk=preset.pk).update(
        use_count=F("use_count") + 1, last_used_at=timezone.now()
    )
    return made


def draft_of(preset: Preset, version: PresetVersion, recipe: Recipe, wishes: Wishes) -> Draft:
    """The session that a recipe and the wishes make together."""
    given = wishes.objects
    objects: dict[str, Any] = {
        name: recipes.merged(getattr(recipe, name), given.get(name, {})) for name in OBJECTS
    }
    return Draft(
        key=wishes.key,
        name=wishes.name or recipe.name,
        kind=recipe.kind,
        mode=wishes.mode or recipe.mode,
        environment=wishes.environment or recipe.environment,
        agent=wishes.agent or recipe.agent,
        owner_label=wishes.owner_label,
        team=wishes.team,
        template=preset.slug,
        template_version=version.version,
        **objects,
    )


def expected_of(recipe: Recipe, wishes: Wishes) -> list[Expected]:
    """Who is declared: those of the recipe, as the wishes have them where both name one."""
    found = {
        one.name: Expected(
            name=one.name,
            role=one.role,
            required=one.required,
            topics=tuple(one.topics),
            program=one.program,
        )
        for one in recipe.components
    }
    return list({**found, **{one.name: one for one in wishes.expected}}.values())


def say(session: Session, recipe: Recipe, principal: Principal) -> None:
    """Let a new session begin with the messages of its recipe."""
    for one in recipe.messages:
        messages.append(session, role=Role(one.role), content=one.content, author=principal.actor)
