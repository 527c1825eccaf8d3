"""What the dashboard shows of decisions and sessions that run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from aegis_project import marks
from sessions.admin import approval_cells, sparks, words
from sessions.models import Approval, Session
from sessions.selectors import dashboard, sessions
from sessions.selectors.sessions import View
from streaming.hub.paces import Pace

MOST = 12
CONDITIONS = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """An approval that waits: how dangerous, what, where and how long there is."""

    approval: Approval
    tool: SafeString
    risk: SafeString
    what: str
    left: SafeString
    claim: str
    is_first: bool


def decisions(rows: Sequence[Approval], *, now: datetime) -> list[Decision]:
    """Approvals as rows; the most urgent one stands out."""
    return [
        Decision(
            approval=row,
            tool=words.tool(row.tool_call.tool),
            risk=approval_cells.risk(row, now=now),
            what=approval_cells.preview(row.tool_call.arguments),
            left=approval_cells.left(row, now=now),
            claim=approval_cells.person(row.claimed_by) if row.claimed_by else "",
            is_first=place == 0,
        )
        for place, row in enumerate(rows)
    ]


@dataclass(frozen=True, slots=True)
class Card:
    """A session that runs, with its pace and what its agents use."""

    view: View
    pace: Pace
    tokens: int
    now: datetime

    @property
    def session(self) -> Session:
        """The session itself."""
        return self.view.session

    @property
    def uptime(self) -> SafeString:
        """How long it has run."""
        return marks.since_html(self.session.state_changed_at, now=self.now)

    @property
    def environment(self) -> SafeString:
        """Production stands out."""
        return marks.environment(self.session.environment)

    @property
    def total(self) -> int:
        """How many participants are expected or there."""
        return len(self.view.participants)

    @property
    def is_short(self) -> bool:
        """Whether somebody is missing."""
        return self.view.present_count < self.total

    @property
    def conditions(self) -> list[Any]:
        """What else there is to say, two at most."""
        shown = self.view.conditions[:CONDITIONS]
        return [
            marks.condition(one, words.condition_text(one, self.view, self.now)) for one in shown
        ]

    @property
    def spark(self) -> SafeString:
        """Records per second over the last two minutes."""
        return sparks.spark(self.pace.rates, size=sparks.IN_CARDS)

    @property
    def rate(self) -> str:
        """Records per second."""
        return marks.rate(self.pace.rate or 0)

    @property
    def used(self) -> str:
        """Tokens of the last minute."""
        return marks.number(self.tokens)


def cards(found: Sequence[Session], paces: Mapping[str, Pace], *, now: datetime) -> list[Card]:
    """The sessions in which there was work last, twelve at most."""
    shown = sessions.views(found[:MOST], now=now)
    used = dashboard.tokens([one.session.pk for one in shown], now=now)
    return [
        Card(one, paces.get(str(one.session.pk), Pace()), used.get(one.session.pk, 0), now)
        for one in shown
    ]
