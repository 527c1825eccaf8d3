"""The form that makes a session."""

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

from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError
from components.admin.asking import asking, teams
from sessions.core.lifecycle import Environment, Kind, Mode
from sessions.services import creation
from sessions.services.creation import Draft

MAX_BYTES = 64 * 1024


class JSONObjectField(forms.CharField):
    """A JSON object, decoded as strictly as everywhere else; nothing is an empty one."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        if not text.strip():
            return {}
        try:
            decoded = strict.decode(text, max_bytes=MAX_BYTES)
        except AegisError as error:
            raise forms.ValidationError(error.message) from None
        if not isinstance(decoded, dict):
            raise forms.ValidationError("This must be a JSON object.")
        return decoded


def _choice(words: Any, initial: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=[(word.value, word.value) for word in words],
        initial=initial,
        widget=UnfoldAdminSelectWidget,
    )


class CreateForm(forms.Form):
    """What a person may say of a new session."""

    name = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    key = forms.CharField(
        max_length=128,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What programs and the command line call it. The id, if left empty.",
    )
    kind = _choice(Kind, Kind.STREAM.value)
    environment = _choice(Environment, Environment.DEVELOPMENT.value)
    mode = _choice(Mode, Mode.REALTIME.value)
    team = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    context = JSONObjectField(required=False, help_text="A JSON object that participants read.")
    config = JSONObjectField(
        required=False, help_text="A JSON object; historical sessions need its source."
    )

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["team"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 -- declared above
        field.choices = [(name, name) for name in names]

    def draft(self) -> Draft:
        """The same for the service."""
        said = self.cleaned_data
        return Draft(
            key=said["key"],
            name=said["name"],
            kind=Kind(said["kind"]),
            mode=Mode(said["mode"]),
            environment=Environment(said["environment"]),
            team=said["team"],
            context=said["context"],
            config=said["config"],
        )


def show(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The form, or the page of the session that it made."""
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    principal = asking(request)
    names = [team.name for team in teams(principal)]
    form = CreateForm(request.POST or None, names=names)
    if request.method == "POST" and form.is_valid():
        try:
            outcome = creation.create(principal=principal, draft=form.draft())
            return HttpResponseRedirect(
                reverse("admin:aegis_sessions_session_change", args=[outcome.session.pk])
            )
        except AegisError as error:
            form.add_error("key" if "key" in error.details else None, error.message)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "New session",
        "form": form,
    }
    return TemplateResponse(request, "admin/aegis/create.html", context)
