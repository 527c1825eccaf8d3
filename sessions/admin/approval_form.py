"""What a person says of an approval."""

import json
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from sessions.admin.create import JSONObjectField
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


class DecideForm(forms.Form):
    """
    A decision on one approval.

    What is of high risk is approved by whoever writes the name of the tool: no hand does that by
    the way.
    """

    arguments = JSONObjectField(
        required=False, help_text="Change them to approve something else than was asked for."
    )
    reason = forms.CharField(
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="The agent is told.",
    )
    remember = forms.ChoiceField(
        required=False, choices=[ONCE, *SCOPES], widget=UnfoldAdminSelectWidget, label="Covers"
    )
    hours = forms.ChoiceField(
        required=False,
        choices=UNTIL,
        initial=UNTIL[0][0],
        widget=UnfoldAdminSelectWidget,
        label="Holds",
    )
    confirm = forms.CharField(
        required=False,
        label="Name of the tool",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, approval: Approval, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.approval = approval
        call = approval.tool_call
        self.fields["arguments"].initial = json.dumps(call.arguments, indent=2, ensure_ascii=False)
        self.is_high = call.risk == Risk.HIGH
        if self.is_high:
            self.fields["confirm"].help_text = f"To approve, write {call.tool} here."
        else:
            del self.fields["confirm"]
        if not approval.who.get("remember", True):
            del self.fields["remember"], self.fields["hours"]
        if approval.who.get("reason"):
            self.fields["reason"].help_text = "The agent is told. A rejection needs one."

    def decide(self, principal: Principal, *, approved: bool) -> Decided:
        """
        Carry it out.

        :raises AegisError: as the service does
        """
        said, row = self.cleaned_data, self.approval
        return approvals.decide(
            principal=principal,
            approval=row,
            approved=approved,
            reason=said["reason"],
            edited_arguments=said["arguments"] if approved else None,
            remember=self._remember(),
            evidence=situation.now(row) if approved else None,
        )

    def _remember(self) -> Remember | None:
        scope, hours = self.cleaned_data.get("remember"), self.cleaned_data.get("hours")
        if not scope:
            return None
        until = timezone.now() + timedelta(hours=int(hours)) if hours else None
        return Remember(scope=scope, until=until)

    def is_meant(self) -> bool:
        """Whether an approval of high risk was confirmed; says so at its field otherwise."""
        if not self.is_high or self.cleaned_data["confirm"] == self.approval.tool_call.tool:
            return True
        self.add_error("confirm", "Write the name of the tool to approve what is of high risk.")
        return False

    def tell(self, error: AegisError) -> None:
        """Say at the form why it was refused."""
        self.add_error(None, f"{error.message} ({error.code})")
