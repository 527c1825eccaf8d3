"""What an administrator says of a program, in words of one line each."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from components.admin.asking import teams
from components.core.launching import Restart
from components.core.programs import BOUNDS, Draft
from components.models import Program
from components.services import programs

EVERY_TEAM = ("", "Every team")


def _seconds(label: str, name: str, text: str) -> forms.FloatField:
    least, most = BOUNDS[name]
    default = Draft.__dataclass_fields__[name].default
    return forms.FloatField(
        label=label,
        min_value=least,
        max_value=most,
        initial=default,
        help_text=text,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )


class ProgramForm(forms.Form):
    """A new program, or one that there is."""

    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget)
    argv = forms.CharField(
        label="Command",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="One word per line; no shell reads it.",
        strip=False,
    )
    environment = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One NAME=value per line. Only administrators see the values.",
        strip=False,
    )
    directory = forms.CharField(
        required=False,
        max_length=4096,
        widget=UnfoldAdminTextInputWidget,
        help_text="An absolute path; empty is the checkout of Aegis.",
    )
    restart = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Restart],
        initial=Restart.ON_FAILURE.value,
        widget=UnfoldAdminSelectWidget,
    )
    restart_limit = forms.IntegerField(
        label="Restarts in a row",
        min_value=0,
        max_value=1000,
        initial=5,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="After so many it is given up, and its component has failed.",
    )
    backoff_seconds = _seconds(
        "First pause", "backoff_seconds", "Seconds; each pause is twice the one before."
    )
    backoff_most_seconds = _seconds("Longest pause", "backoff_most_seconds", "Seconds.")
    settled_seconds = _seconds(
        "Settled after", "settled_seconds", "Seconds; who ran so long begins to count anew."
    )
    stop_grace_seconds = _seconds(
        "Grace", "stop_grace_seconds", "Seconds from TERM to KILL when it is stopped."
    )
    team = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any, *, principal: Principal, program: Program | None) -> None:
        super().__init__(data, initial=_said(program) if program else None)
        self.program = program
        self.teams = {str(team.pk): team for team in teams(principal)}
        choices = [EVERY_TEAM, *((key, team.name) for key, team in self.teams.items())]
        self.fields["team"].choices = choices  # type: ignore[attr-defined]

    def clean_argv(self) -> list[str]:
        return [line.rstrip("\r") for line in self.cleaned_data["argv"].strip("\r\n").split("\n")]

    def clean_environment(self) -> dict[str, str]:
        found = {}
        for line in filter(None, map(str.rstrip, self.cleaned_data["environment"].split("\n"))):
            name, sign, value = line.partition("=")
            if not sign:
                raise forms.ValidationError("Each line is NAME=value.")
            found[name] = value
        return found

    def save(self, principal: Principal) -> Program:
        """
        Through the service.

        :raises AegisError: when it refuses
        """
        values = dict(self.cleaned_data)
        team = self.teams.get(values.pop("team"))
        if self.program is not None:
            changes = {**values, "team": team}
            return programs.change(
                principal=principal, program=self.program.pk, changes=changes
            ).program
        argv, restart = tuple(values.pop("argv")), Restart(values.pop("restart"))
        draft = Draft(argv=argv, restart=restart, **values)
        return programs.define(principal=principal, draft=draft, team=team).program

    def tell(self, error: AegisError) -> None:
        """Show a refusal beside the field that it names."""
        field = error.details.get("field")
        self.add_error(field if field in self.fields else None, error.message)


def _said(row: Program) -> dict[str, Any]:
    """A program in the words of the form."""
    values = {name: getattr(row, name) for name in programs.FIELDS}
    return {
        **values,
        "argv": "\n".join(row.argv),
        "environment": "\n".join(f"{name}={text}" for name, text in row.environment.items()),
        "team": str(row.team_id or ""),
    }
