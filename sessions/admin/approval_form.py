"""What a person says of an approval."""

from datetime import timedelta
from typing import Any, NamedTuple

from django import forms
from django.utils import timezone

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.admin import approval_fields as fields
from sessions.admin.approval_cells import shown
from sessions.admin.approval_fields import ABSENT, Argument
from sessions.core.policy import Remember
from sessions.core.tool_calls import Risk
from sessions.models import Approval
from sessions.selectors import situation
from sessions.services import approvals
from sessions.services.approvals import Decided

ONCE = ("", "Only this call")
SCOPES = [
    ("run", "This tool in this run"),
    ("session", "This tool in this session"),
    ("agent", "This tool of this agent in this environment"),
]
UNTIL = [("1", "for an hour"), ("24", "for a day"), ("", "until it is taken back")]


class Row(NamedTuple):
    """One argument on the card, and the field in which it is edited."""

    argument: Argument
    field: forms.BoundField
    shown: str


class DecideForm(forms.Form):
    """
    A decision on one approval.

    What is of high risk is approved by whoever writes the name of the tool, or holds a button for
    which the page writes it: no hand does that by the way. Arguments count as edited only where
    ``arguments`` says that their fields were there.
    """

    arguments = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea({"class": "ae-input ae-area", "rows": 3, "form": "ae-decision"}),
    )
    remember = forms.ChoiceField(
        required=False,
        choices=[ONCE, *SCOPES],
        widget=forms.Select({"class": "ae-input"}),
        label="Covers",
    )
    hours = forms.ChoiceField(
        required=False,
        choices=UNTIL,
        initial=UNTIL[0][0],
        widget=forms.Select({"class": "ae-input"}),
        label="Holds",
    )
    confirm = forms.CharField(
        required=False,
        label="Name of the tool",
        widget=forms.TextInput(
            {
                "class": "ae-input",
                "autocomplete": "off",
                "spellcheck": "false",
                "form": "ae-decision",
            }
        ),
    )

    def __init__(self, *args: Any, approval: Approval, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["arguments"].initial = "1"
        self.approval = approval
        call = approval.tool_call
        self.is_high = call.risk == Risk.HIGH
        self.needs_reason = bool(approval.who.get("reason"))
        self.asked = fields.of(approval.parameters, call.arguments)
        for number, argument in enumerate(self.asked):
            self.fields[f"argument-{number}"] = fields.field(argument)
        if not approval.who.get("remember", True):
            del self.fields["remember"], self.fields["hours"]

    def rows(self) -> list[Row]:
        """The arguments in their order."""
        return [
            Row(
                argument,
                self[f"argument-{number}"],
                shown(argument.value) if argument.is_given else "",
            )
            for number, argument in enumerate(self.asked)
        ]

    def decide(self, principal: Principal, *, approved: bool) -> Decided:
        """
        Carry it out.

        :raises AegisError: as the service does
        :raises ValidationFailed: for what cannot be read, and for high risk that is not confirmed
        """
        self._check(approved=approved)
        row = self.approval
        return approvals.decide(
            principal=principal,
            approval=row,
            approved=approved,
            reason=self.cleaned_data["reason"],
            edited_arguments=self._edited() if approved else None,
            remember=self._remember(),
            evidence=situation.now(row) if approved else None,
        )

    def digest(self) -> str:
        """
        What the call would be known by, with these arguments.

        :raises ValidationFailed: for what cannot be read
        """
        self._read()
        call, said = self.approval.tool_call, self._edited()
        return call.digest_of(call.arguments if said is None else said)

    def _read(self) -> None:
        if not self.is_valid():
            found = {name: [str(one) for one in told] for name, told in self.errors.items()}
            name, told = next(iter(found.items()))
            label = self.fields[name].label or name
            raise ValidationFailed(f"{label}: {' '.join(told)}", fields=found)

    def _check(self, *, approved: bool) -> None:
        self._read()
        if (
            approved
            and self.is_high
            and self.cleaned_data["confirm"] != self.approval.tool_call.tool
        ):
            raise ValidationFailed(
                "Write the name of the tool to approve what is of high risk.", field="confirm"
            )

    def _edited(self) -> dict[str, Any] | None:
        if not self.cleaned_data["arguments"]:
            return None
        said = {
            argument.name: self.cleaned_data[f"argument-{number}"]
            for number, argument in enumerate(self.asked)
        }
        return {name: value for name, value in said.items() if value is not ABSENT}

    def _remember(self) -> Remember | None:
        scope, hours = self.cleaned_data.get("remember"), self.cleaned_data.get("hours")
        if not scope:
            return None
        until = timezone.now() + timedelta(hours=int(hours)) if hours else None
        return Remember(scope=scope, until=until)
