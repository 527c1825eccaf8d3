"""What a person says of a credential that is to be issued or rotated."""

from datetime import timedelta
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from components.admin.asking import teams
from components.core import scopes
from components.services import credentials

MOST_HOURS = 720


class IssueForm(forms.Form):
    """What a person may say of a new credential."""

    name = forms.CharField(max_length=100, widget=UnfoldAdminTextInputWidget)
    team = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    scopes = forms.MultipleChoiceField(
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What it may do. Nobody can give more than they have.",
    )
    patterns = forms.CharField(
        initial="**",
        widget=UnfoldAdminTextInputWidget,
        help_text="Topics it may read and publish: names or patterns, separated by spaces.",
    )
    days = forms.IntegerField(
        label="Days until it expires",
        required=False,
        min_value=1,
        max_value=3650,
        initial=90,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Empty means never.",
    )

    def __init__(self, *args: Any, principal: Principal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [word for word in sorted(scopes.SCOPES) if principal.allows(word)]
        self.fields["scopes"].choices = [(word, word) for word in offered]  # type: ignore[attr-defined]
        self.fields["team"].choices = [(team.pk, team.name) for team in teams(principal)]  # type: ignore[attr-defined]

    def issue(self, principal: Principal) -> credentials.Issued:
        """
        Through the service.

        :raises AegisError: when it refuses
        """
        said = self.cleaned_data
        return credentials.issue(
            principal=principal,
            name=said["name"],
            scopes=said["scopes"],
            patterns=said["patterns"].split(),
            team_id=int(said["team"]),
            lifetime=timedelta(days=said["days"]) if said["days"] else None,
        )


class RotateForm(forms.Form):
    """How long the old secret opens everything beside the new one."""

    hours = forms.IntegerField(min_value=0, max_value=MOST_HOURS)

    def rotate(self, principal: Principal, credential: Any) -> credentials.Issued:
        """
        Through the service.

        :raises AegisError: when it refuses
        """
        if not self.is_valid():
            raise ValidationFailed(f"The old secret goes on for 0 to {MOST_HOURS} hours.")
        overlap = timedelta(hours=self.cleaned_data["hours"])
        return credentials.rotate(principal=principal, credential=credential, overlap=overlap)
