"""Trying templates on paper: a session that is real, and whose tools reach nobody."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from aegis_project.kit.principal import Principal
from sessions.core import recipes
from sessions.core.checkpoints import Effects
from sessions.core.lifecycle import Environment
from sessions.core.recipes import Recipe
from sessions.models import Fork, Preset
from sessions.selectors import presets
from sessions.services import creation, lifecycle, tags
from sessions.services.applying import Wishes, draft_of, expected_of, say
from sessions.services.outcome import Outcome
from streaming.services.commands import command

TAG = "test-run"
LASTS = timedelta(hours=1)


@command("template.test", scope="sessions:write")
def on_paper(*, principal: Principal, template: str, version: int | None = None) -> Outcome:
    """
    Make a session from a template and start it, on paper: nothing outside of it happens.

    It is of the environment test, waits for nobody, starts no program, and tools that reach beyond
    it are answered that nothing was carried out. It expires after an hour and counts as no use.

    :raises PermissionDenied: without the scopes templates:read and sessions:control, too
    :raises TemplateNotFound: if it is not there for the principal, or has no such version
    :raises QuotaExceeded: if the team has as many open sessions as it may
    """
    preset = presets.find(principal, template)
    found = presets.version_of(preset, version)
    recipe = recipes.read(found.recipe)
    wishes = Wishes(
        key=f"test-{preset.slug[:80]}-{uuid4().hex[:8]}",
        name=_name(preset, recipe),
        environment=Environment.TEST,
    )
    draft = draft_of(preset, found, recipe, wishes)
    made = creation.make(
        principal=principal,
        draft=replace(draft, expires_at=timezone.now() + LASTS),
        expected=[replace(one, required=False, program="") for one in expected_of(recipe, wishes)],
    )
    row = made.session
    Fork.objects.create(session=row, seq=0, effects=Effects.STUB.value)
    tags.put_on(row, principal=principal, names=[TAG])
    say(row, recipe, principal)
    return lifecycle.start(principal=principal, session=row)


def _name(preset: Preset, recipe: Recipe) -> str:
    return f"Test run of {recipe.name or preset.name}"[:200]
