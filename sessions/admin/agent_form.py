"""What a person says of an agent."""

import json
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
from sessions.admin.create import JSONObjectField
from sessions.core.catalogue import AgentDraft
from sessions.models import Agent
from sessions.models.agent import Visibility
from sessions.selectors import policies
from sessions.services import agents

EVERY_TEAM = ("", "Every team")
NO_POLICY = ("", "What the environment asks for")
SEEN = [
    (Visibility.PUBLIC.value, "Everybody"),
    (Visibility.INTERNAL.value, "Whoever is signed in"),
    (Visibility.PRIVATE.value, "Its team"),
]


def _area(rows: int, **more: Any) -> UnfoldAdminTextareaWidget:
    return UnfoldAdminTextareaWidget(attrs={"rows": rows, **more})


class AgentForm(forms.Form):
    """A new agent, or one that there is."""

    slug = forms.CharField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="What sessions and programs call it: letters, digits, dashes and _.",
    )
    name = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    description = forms.CharField(
        required=False, widget=_area(2), help_text="What others are told of it."
    )
    model = forms.CharField(
        max_length=200,
        initial="default",
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false"}),
        help_text="default, or PROVIDER:MODEL, such as openai:gpt-5 or scripted:assistant.",
    )
    instructions = forms.CharField(
        required=False, widget=_area(6), help_text="What the model is told before the conversation."
    )
    tools = forms.CharField(
        required=False,
        widget=_area(3, spellcheck="false"),
        help_text="One name or pattern per line, such as memory_*.",
    )
    policy = forms.ChoiceField(
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Which of its tool calls need somebody's approval.",
    )
    limits = JSONObjectField(
        required=False,
        help_text="Of one run: max_steps, max_depth, max_seconds, max_tokens, max_cost.",
    )
    settings = JSONObjectField(
        required=False, help_text="For the model: temperature, top_p, thinking and so on."
    )
    visibility = forms.ChoiceField(
        label="Seen by", choices=SEEN, widget=UnfoldAdminSelectWidget, initial="public"
    )
    team = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    is_active = forms.BooleanField(
        label="In use",
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Nobody can ask an agent that is not in use.",
    )

    def __init__(
        self, data: Any, *, principal: Principal, agent: Agent | None, slug: str = ""
    ) -> None:
        super().__init__(data, initial=_said(agent) if agent else {"slug": slug, "name": slug})
        self.agent = agent
        self.teams = {str(team.pk): team for team in teams(principal)}
        named = [(key, team.name) for key, team in self.teams.items()]
        every = [EVERY_TEAM] if principal.teams is None else []
        self.fields["team"].choices = [*every, *named]  # type: ignore[attr-defined]
        self.fields["policy"].choices = [NO_POLICY, *policy_choices(principal)]  # type: ignore[attr-defined]

    def clean_tools(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["tools"].splitlines() if line.strip()]

    def save(self, principal: Principal) -> Agent:
        """
        Through the service.

        :raises AegisError: when it refuses
        """
        values = dict(self.cleaned_data)
        team = self.teams.get(values.pop("team"))
        if self.agent is None:
            draft = AgentDraft(**values)
            return agents.create(principal=principal, draft=draft, team=team).agent
        changes = {**values, "team": team}
        return agents.update(principal=principal, agent=self.agent.slug, changes=changes).agent

    def tell(self, error: AegisError) -> None:
        """Show a refusal beside the field that it names."""
        field = error.details.get("field")
        self.add_error(field if field in self.fields else None, error.message)


def policy_choices(principal: Principal) -> list[tuple[str, str]]:
    """The policies that the principal may name, with their names."""
    if not principal.allows("policies:read"):
        return []
    rows = policies.readable(principal).order_by("name")
    return [(row.slug, row.name) for row in rows]


def _said(row: Agent) -> dict[str, Any]:
    """An agent in the words of the form."""
    return {
        **{name: getattr(row, name) for name in AgentForm.base_fields},
        "tools": "\n".join(row.tools),
        "limits": _json(row.limits),
        "settings": _json(row.settings),
        "policy": row.policy.slug if row.policy else "",
        "team": str(row.team_id or ""),
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""
