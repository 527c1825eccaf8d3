"""What a person says of a template."""

import json
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from components.admin.asking import teams
from sessions.admin.create import JSONObjectField
from sessions.core import recipes
from sessions.core.recipes import Category
from sessions.models import Preset
from sessions.selectors import presets as reading
from sessions.services import presets
from sessions.services.presets import About

EVERY_TEAM = ("", "Every team")
FIRST = {"kind": "chat", "agent": "assistant", "messages": [], "prompts": [], "tags": []}


class TemplateForm(forms.Form):
    """A new template, or one that there is; another recipe becomes its next version."""

    slug = forms.SlugField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="What sessions and programs call it: small letters, digits, dashes and _.",
    )
    name = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    description = forms.CharField(
        required=False, max_length=10_000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    category = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Category],
        initial=Category.CUSTOM.value,
        widget=UnfoldAdminSelectWidget,
    )
    team = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    recipe = JSONObjectField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 18, "spellcheck": "false"}),
        help_text="kind, mode, environment, agent, components, messages, prompts, tags, context, "
        "config, memory, metadata.",
    )
    note = forms.CharField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="What is new in this version.",
    )

    def __init__(
        self, data: Any, *, principal: Principal, preset: Preset | None, session: str = ""
    ) -> None:
        super().__init__(data, initial=_said(preset))
        if session:
            self.initial["recipe"] = _json(reading.of_session(principal, session)[1])
        self.preset = preset
        self.teams = {str(team.pk): team for team in teams(principal)}
        named = [(key, team.name) for key, team in self.teams.items()]
        every = [EVERY_TEAM] if principal.teams is None else []
        self.fields["team"].choices = [*every, *named]  # type: ignore[attr-defined]
        if preset is not None:
            del self.fields["slug"], self.fields["team"]

    def save(self, principal: Principal) -> Preset:
        """
        Through the service.

        :raises AegisError: when it refuses
        """
        said = dict(self.cleaned_data)
        recipe, note = said.pop("recipe"), said.pop("note")
        if self.preset is None:
            about = About(**{**said, "team": self.teams.get(said["team"])})
            return presets.create(principal=principal, about=about, recipe=recipe, note=note).preset
        kept = recipes.kept(recipes.read(recipe))
        is_new = kept != reading.version_of(self.preset).recipe
        return presets.change(
            principal=principal,
            template=self.preset.slug,
            changes=said,
            recipe=recipe if is_new else None,
            note=note,
        ).preset

    def tell(self, error: AegisError) -> None:
        """Show a refusal beside the field that it names."""
        field = str(error.details.get("field", "")).partition(".")[0]
        place = "recipe" if field in {"config", "tags"} else field
        self.add_error(place if place in self.fields else None, f"{error.message} ({error.code})")


def _said(preset: Preset | None) -> dict[str, Any]:
    if preset is None:
        return {"recipe": _json(FIRST)}
    said = {name: getattr(preset, name) for name in ("name", "description", "category")}
    return {**said, "recipe": _json(reading.version_of(preset).recipe)}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
