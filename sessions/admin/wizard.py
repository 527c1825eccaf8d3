"""A new session from a template, in four steps: what, who takes part, gates, review."""

import json
import shlex
from collections.abc import Mapping
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
from sessions.admin import template_acts
from sessions.admin.agent_form import policy_choices
from sessions.admin.create import MAX_BYTES, JSONObjectField
from sessions.core import recipes
from sessions.core.errors import AgentNotFound
from sessions.core.lifecycle import Environment
from sessions.core.recipes import Recipe
from sessions.models import Preset
from sessions.selectors import agents, preset_parts, presets
from sessions.services import applying
from sessions.services.applying import Wishes

STEPS: dict[str, tuple[str, ...]] = {
    "what": ("name", "key", "environment", "team", "context"),
    "who": ("agent",),
    "gates": ("policy", "config"),
    "review": (),
}
TITLES = {"what": "What", "who": "Who takes part", "gates": "Gates", "review": "Look it over"}
OBJECTS = ("context", "config")
NAMES = [name for fields in STEPS.values() for name in fields]
AS_BEFORE = ("", "What the template and the environment say")


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
        help_text="Members to add to the settings of the template, as a JSON object.",
    )
    policy = forms.ChoiceField(
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Which tool calls wait for somebody.",
    )

    def __init__(self, said: Mapping[str, str], *, recipe: Recipe, principal: Principal) -> None:
        named = [(team.name, team.name) for team in teams(principal)]
        first = {
            "name": recipe.name,
            "environment": recipe.environment.value,
            "agent": recipe.agent,
            "team": named[0][0] if named else "",
        }
        super().__init__({**first, **said})
        self.fields["team"].choices = named  # type: ignore[attr-defined]
        self.fields["policy"].choices = [AS_BEFORE, *policy_choices(principal)]  # type: ignore[attr-defined]
        self.principal = principal

    def clean_agent(self) -> str:
        slug: str = self.cleaned_data["agent"]
        try:
            return agents.find(self.principal, slug).slug if slug else ""
        except AgentNotFound as error:
            raise forms.ValidationError(f"{error.message} ({error.code})") from None

    def faulty(self, until: str = "review") -> str:
        """The first step before this one of which something cannot be; none is empty."""
        for step, fields in STEPS.items():
            if step == until:
                break
            if self.errors.keys() & set(fields):
                return step
        return ""

    def parts(self, step: str) -> list[forms.BoundField]:
        """The fields of a step."""
        return [self[name] for name in STEPS[step]]

    def objects(self) -> dict[str, dict[str, Any]]:
        """What is added to the objects of the template; the policy is one of its settings."""
        said = self.cleaned_data
        policy = {"policy": said["policy"]} if said["policy"] else {}
        return {"context": said["context"], "config": {**said["config"], **policy}}

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
            objects=self.objects(),
        )

    def document(self) -> dict[str, Any]:
        """The same as a program says it to `apply`; what is empty is left out."""
        said = {**self.cleaned_data, **self.objects(), "policy": ""}
        return {name: value for name, value in said.items() if value}

    def line(self, preset: Preset) -> str:
        """The same as the command line has it."""
        said = self.document()
        words = ["aegis", "session", "create", *([said.pop("name")] if "name" in said else [])]
        words += ["--template", preset.slug]
        for option, value in said.items():
            text = json.dumps(value, ensure_ascii=False) if option in OBJECTS else str(value)
            words += [f"--{'env' if option == 'environment' else option}", text]
        return shlex.join(words)


class Wizard:
    """
    One request of one person for one template.

    What was said is kept with the login until the session is made, so that going back, a reload
    and another tab lose nothing.
    """

    def __init__(self, model_admin: Any, request: HttpRequest, preset: Preset) -> None:
        self.model_admin, self.request, self.preset = model_admin, request, preset
        self.principal = asking(request)
        self.version = presets.version_of(preset)
        self.recipe = recipes.read(self.version.recipe)
        self.place = f"wizard:{preset.pk}"

    def answer(self) -> HttpResponse:
        """The step that was asked for, or the session that was made."""
        if self.request.method != "POST":
            form = self.form()
            step = self.request.GET.get("step", "what")
            step = step if step in STEPS else "what"
            return self.page(form, form.faulty(step) or step)
        self.keep()
        form, wanted = self.form(), self.request.POST.get("step", "")
        if wanted == "make":
            return self.page(form, form.faulty()) if form.errors else self.make(form)
        wanted = wanted if wanted in STEPS else "what"
        faulty = form.faulty(wanted)
        return self.page(form, faulty) if faulty else HttpResponseRedirect(f"?step={wanted}")

    def form(self) -> WizardForm:
        said = self.request.session.get(self.place, {})
        return WizardForm(said, recipe=self.recipe, principal=self.principal)

    def keep(self) -> None:
        sent = {name: self.request.POST[name] for name in NAMES if name in self.request.POST}
        kept = {**self.request.session.get(self.place, {}), **sent}
        self.request.session[self.place] = {name: text[:MAX_BYTES] for name, text in kept.items()}

    def make(self, form: WizardForm) -> HttpResponse:
        try:
            made = applying.apply(
                principal=self.principal,
                template=self.preset.slug,
                wishes=form.wishes(self.version.version),
            )
        except AegisError as error:
            _tell(form, error)
            return self.page(form, form.faulty() or "review")
        del self.request.session[self.place]
        address = reverse("admin:aegis_sessions_session_change", args=[made.session.pk])
        return HttpResponseRedirect(address)

    def page(self, form: WizardForm, step: str) -> HttpResponse:
        names = list(STEPS)
        place = names.index(step)
        is_review = step == "review" and not form.errors
        context = {
            **self.model_admin.admin_site.each_context(self.request),
            "opts": self.model_admin.opts,
            "title": f"New session: {self.preset.name}",
            "preset": self.preset,
            "version": self.version,
            "recipe": self.recipe,
            "form": form,
            "parts": form.parts(step),
            "step": step,
            "steps": [
                {"name": name, "title": TITLES[name], "is_done": names.index(name) < place}
                for name in names
            ],
            "before": names[place - 1] if place else "",
            "after": names[place + 1] if place + 1 < len(names) else "",
            "after_title": TITLES[names[place + 1]] if place + 1 < len(names) else "",
            "missing": preset_parts.missing(self.principal, self.recipe),
            "may_make": template_acts.may_make(self.principal),
            "line": form.line(self.preset) if is_review else "",
            "document": json.dumps(form.document(), indent=2) if is_review else "",
        }
        return TemplateResponse(self.request, "admin/aegis/wizard.html", context)


def show(model_admin: Any, request: HttpRequest, preset: Preset) -> HttpResponse:
    """The step of the wizard that was asked for, for who may make sessions."""
    if not asking(request).allows("sessions:write"):
        raise PermissionDenied
    return Wizard(model_admin, request, preset).answer()


def _tell(form: WizardForm, error: AegisError) -> None:
    place = "key" if "key" in error.details else str(error.details.get("field", ""))
    place = place.partition(".")[0]
    form.add_error(place if place in form.fields else None, f"{error.message} ({error.code})")
