"""What a person says of a webhook."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from components.admin.asking import teams
from sessions.core.webhooks import LONGEST_URL
from sessions.models import Webhook
from sessions.selectors import sessions
from sessions.services import webhooks
from sessions.services.webhooks import Made


class WebhookForm(forms.Form):
    """A new webhook, or one that there is; its secret is never in it."""

    url = forms.CharField(
        label="Address",
        max_length=LONGEST_URL,
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false"}),
        help_text="Such as https://example.com/aegis. Private networks are not reached.",
    )
    events = forms.CharField(
        initial="approval.*",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="One type or pattern per line, such as approval.*, run.completed or *.",
    )
    team = forms.ChoiceField(widget=UnfoldAdminSelectWidget, help_text="Whose sessions it is of.")
    session = forms.CharField(
        required=False,
        max_length=128,
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false"}),
        help_text="A key or an id, where it is of one session only.",
    )
    is_active = forms.BooleanField(
        label="Hears",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="One that hears again is told what it missed.",
    )

    def __init__(self, data: Any, *, principal: Principal, webhook: Webhook | None) -> None:
        super().__init__(data, initial=_said(webhook) if webhook else None)
        self.webhook = webhook
        self.teams = {str(team.pk): team for team in teams(principal)}
        if webhook is not None:
            del self.fields["team"], self.fields["session"]
        else:
            del self.fields["is_active"]
            named = [(key, team.name) for key, team in self.teams.items()]
            self.fields["team"].choices = named  # type: ignore[attr-defined]

    def clean_events(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["events"].splitlines() if line.strip()]

    def save(self, principal: Principal) -> Made:
        """
        Through the service; the secret of a new one is in it.

        :raises AegisError: when it refuses
        """
        said = dict(self.cleaned_data)
        if self.webhook is not None:
            pk = self.webhook.pk
            return webhooks.change(principal=principal, webhook=pk, changes=said)
        name = said.pop("session")
        session = sessions.resolve(principal, name) if name else None
        team = session.team if session is not None else self.teams[said["team"]]
        return webhooks.define(principal=principal, **said | {"team": team, "session": session})

    def tell(self, error: AegisError) -> None:
        """Show a refusal beside the field that it names."""
        named = [*error.details.get("fields", []), error.details.get("field")]
        is_session = error.code in {"SESSION_NOT_FOUND", "AMBIGUOUS_REFERENCE"}
        field = "session" if is_session else next((one for one in named if one), None)
        self.add_error(field if field in self.fields else None, error.message)


def _said(row: Webhook) -> dict[str, Any]:
    return {"url": row.url, "events": "\n".join(row.events), "is_active": row.is_active}
