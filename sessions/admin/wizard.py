"""A new session from a template: fill in, look it over, make it."""

import json
import shlex
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from components.admin.asking import asking, teams
from sessions.admin.create import JSONObjectField
from sessions.core import recipes
from sessions.core.errors import AgentNotFound
from sessions.core.lifecycle import Environment
from sessions.core.recipes import Recipe
from sessions.models import Preset
from sessions.selectors import agents, presets
from sessions.services import applying
from sessions.services.applying import Wishes

STEPS = ("fill", "review", "make")
OBJECTS = ("context", "config")


class WizardForm(forms.Form):
    """What a person may say of a session that is made from a template."""

    name = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget)
    key = forms.CharField(
        max_length=128,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What programs and the command line call it. The id, if left empty.",
    )
    environment = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Environment], widget=UnfoldAdminSelectWidget
    )
    agent = forms.CharField(
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="The slug of the agent that answers; none, if left empty.",
    )
    team = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    context = JSONObjectField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="Members to add to those of the template, as a JSON object.",
    )
    config = JSONObjectField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="The same for its settings, such as the policy.",
    )

    def __init__(self, data: Any, *, recipe: Recipe, principal: Principal) -> None:
        said = {"name": recipe.name, "environment": recipe.environment.value, "agent": recipe.agent}
        super().__init__(data, initial=said)
        named = [(team.name, team.name) for team in teams(principal)]
        self.fields["team"].choices = named  # type: ignore[attr-defined]
        self.principal = principal

    def clean_agent(self) -> str:
        slug: str = self.cleaned_data["agent"]
        try:
            return agents.find(self.principal, slug).slug if slug else ""
        except AgentNotFound as error:
            raise forms.ValidationError(f"{error.message} ({error.code})") from None

    def wishes(self, version: int) -> Wishes:
        """The same for the service."""
        said = self.cleaned_data
        return Wishes(
            version=version,
            key=said["key"],
            name=said["name"],
            environment=Environment(said["environment"]),
            agent=said["agent"],
            team=said["team"],
            objects={name: said[name] for name in OBJECTS},
        )

    def document(self) -> dict[str, Any]:
        """The same as a program says it to `apply`; what is empty is left out."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def line(self, preset: Preset) -> str:
        """The same as the command line has it."""
        said = self.document()
        words = ["aegis", "session", "create", *([said.pop("name")] if "name" in said else [])]
        words += ["--template", preset.slug]
        for option, value in said.items():
            text = json.dumps(value, ensure_ascii=False) if option in OBJECTS else str(value)
            words += [f"--{'env' if option == 'environment' else option}", text]
        return shlex.join(words)


def show(model_admin: Any, request: HttpRequest, preset: Preset) -> HttpResponse:
    """The step that was asked for; nothing is kept between steps but what the form says."""
    principal = asking(request)
    if not principal.allows("sessions:write"):
        raise PermissionDenied
    version = presets.version_of(preset)
    recipe = recipes.read(version.recipe)
    form = WizardForm(request.POST or None, recipe=recipe, principal=principal)
    step = request.POST.get("step", "")
    is_ready = step in {"review", "make"} and form.is_valid()
    if is_ready and step == "make":
        try:
            made = applying.apply(
                principal=principal,
                template=preset.slug,
                wishes=form.wishes(version.version),
            )
            return HttpResponseRedirect(
                reverse("admin:aegis_sessions_session_change", args=[made.session.pk])
            )
        except AegisError as error:
            _tell(form, error)
            is_ready = False
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"New session: {preset.name}",
        "preset": preset,
        "version": version,
        "recipe": recipe,
        "form": form,
        "is_review": is_ready,
        "line": form.line(preset) if is_ready else "",
        "document": json.dumps(form.document(), indent=2) if is_ready else "",
    }
    return TemplateResponse(request, "admin/aegis/wizard.html", context)


def _tell(form: WizardForm, error: AegisError) -> None:
    place = "key" if "key" in error.details else str(error.details.get("field", ""))
    place = place.partition(".")[0]
    form.add_error(place if place in form.fields else None, f"{error.message} ({error.code})")
