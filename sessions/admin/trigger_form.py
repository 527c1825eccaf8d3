"""What a person says of a trigger."""

from itertools import islice
from typing import Any

import orjson
from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from sessions.api.triggers import MOST_SECONDS
from sessions.models import Trigger
from sessions.selectors import agents, sessions
from sessions.services import triggers
from sessions.services.triggers import CHANGEABLE, TriggerDraft

LONGEST_CONDITION = 10_000
MOST_AGENTS = 500
PLAIN = {"spellcheck": "false"}


class TriggerForm(forms.Form):
    """A new trigger, or one that there is; whose it is stays."""

    agent = forms.ChoiceField(widget=UnfoldAdminSelectWidget, help_text="Whom it wakes.")
    session = forms.CharField(
        required=False,
        max_length=128,
        widget=UnfoldAdminTextInputWidget(attrs=PLAIN),
        help_text="A key or an id; without one it is of every running session of the agent.",
    )
    pattern = forms.CharField(
        label="Topics",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs=PLAIN),
        help_text="A pattern such as prices.*; a trigger has this or a schedule.",
    )
    schedule = forms.CharField(
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs=PLAIN),
        help_text="A line of cron in UTC, such as 0 3 * * *, or @hourly.",
    )
    condition = forms.CharField(
        required=False,
        max_length=LONGEST_CONDITION,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, **PLAIN}),
        help_text='JSON, such as {"all": [{"path": "price", "op": "gt", "value": 10}]}.',
    )
    prompt = forms.CharField(
        required=False,
        max_length=10_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="What the agent is told; {topic} and {data} stand for the record.",
    )
    cooldown_seconds = forms.IntegerField(
        label="Rests",
        min_value=0,
        max_value=MOST_SECONDS,
        initial=60,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Seconds after a run.",
    )
    is_active = forms.BooleanField(
        label="On",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="What was due while it was off is not made up for.",
    )

    def __init__(self, data: Any, *, principal: Principal, trigger: Trigger | None) -> None:
        super().__init__(data, initial=_said(trigger) if trigger else None)
        self.trigger = trigger
        if trigger is not None:
            del self.fields["agent"], self.fields["session"]
            return
        del self.fields["is_active"]
        known = agents.readable(principal) if principal.allows("agents:read") else []
        slugs = [(row.slug, row.slug) for row in islice(known, MOST_AGENTS)]
        self.fields["agent"].choices = slugs  # type: ignore[attr-defined]

    def clean_condition(self) -> Any:
        said = self.cleaned_data["condition"].strip()
        try:
            found = strict.decode(said, max_bytes=4 * LONGEST_CONDITION) if said else {}
        except AegisError as error:
            raise forms.ValidationError(error.message) from None
        if not isinstance(found, dict):
            raise forms.ValidationError("A condition is an object.")
        return found

    def save(self, principal: Principal) -> Trigger:
        """
        Through the service.

        :raises AegisError: when it refuses
        """
        said = self.cleaned_data
        if self.trigger is not None:
            changes = {name: said[name] for name in CHANGEABLE}
            pk = self.trigger.pk
            return triggers.update(principal=principal, trigger=pk, changes=changes).trigger
        fields = {name: said[name] for name in CHANGEABLE if name != "is_active"}
        key = said["session"]
        session = sessions.resolve(principal, key) if key else None
        draft = TriggerDraft(**fields, session=session)
        agent = agents.find(principal, said["agent"])
        return triggers.create(principal=principal, agent=agent, draft=draft).trigger

    def tell(self, error: AegisError) -> None:
        """Show a refusal beside the field that it names."""
        is_session = error.code in {"SESSION_NOT_FOUND", "AMBIGUOUS_REFERENCE"}
        field = "session" if is_session else error.details.get("field")
        self.add_error(field if field in self.fields else None, error.message)


def _said(row: Trigger) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in CHANGEABLE}
    condition = orjson.dumps(row.condition, option=orjson.OPT_INDENT_2).decode()
    return said | {"condition": condition if row.condition else ""}
