"""The numbers of the sessions in view, kept for a while with their age."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.utils import timezone

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import statistics
from sessions.core.statistics import Span
from sessions.models import Session
from sessions.selectors import counts, daily, sessions
from sessions.selectors.counts import Scope

KEPT_SECONDS = 300
"""How old numbers may be before they are counted again."""

PARTS: Mapping[str, tuple[str, Callable[[Scope], Any]]] = {
    "sessions": ("sessions:read", counts.of_sessions),
    "messages": ("messages:read", counts.of_messages),
    "runs": ("runs:read", counts.of_runs),
    "tool_calls": ("runs:read", counts.of_tool_calls),
    "approvals": ("approvals:read", counts.of_approvals),
    "agents": ("runs:read", counts.by_agent),
    "busiest": ("runs:read", counts.by_session),
}
"""What is counted, and the scope that reading it needs."""


COLUMNS = (
    "day",
    "sessions",
    "messages",
    "runs",
    "tokens",
    "cost",
    "tool_calls",
    "approvals",
)
"""What is told of a day, in the order of its file."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of when (the last ``length``, unless said) and of what: a team by name, a session by id or key, an agent by slug, one's own."""

    since: datetime | None = None
    until: datetime | None = None
    length: timedelta = statistics.USUAL
    zone: str = "UTC"
    team: str = ""
    session: str = ""
    agent: str = ""
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was counted, of which span, and when; a part that may not be read is None."""

    span: Span
    at: datetime
    parts: dict[str, Any]

    @property
    def file(self) -> str:
        """The days as CSV; empty is what may not be read."""
        return statistics.table(
            [{name: day[name] for name in COLUMNS} for day in self.parts["days"]]
        )

    @property
    def file_name(self) -> str:
        """What that file is called."""
        return f"statistics-{self.span.days[0]}-{self.span.days[-1]}.csv"


def read(principal: Principal, wanted: Wanted, *, is_fresh: bool = False) -> Numbers:
    """
    The numbers of the sessions that the principal sees, at most five minutes old.

    ``is_fresh`` counts them anew.

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if the session is not there for the principal
    :raises ValidationFailed: for a span or zone that cannot be
    """
    principal.require("sessions:read")
    now = timezone.now()
    span = statistics.span(
        since=wanted.since,
        until=wanted.until,
        zone=_zone(wanted.zone),
        now=now,
        length=wanted.length,
    )
    rows = _reach(principal, wanted)
    name = _name(principal, wanted)
    kept: Numbers | None = None if is_fresh else cache.get(name)
    if kept is None:
        kept = Numbers(span, now, _parts(principal, Scope(rows, span, wanted.agent)))
        cache.set(name, kept, KEPT_SECONDS)
    return kept


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationFailed("There is no such time zone.", field="zone") from None


def _reach(principal: Principal, wanted: Wanted) -> QuerySet[Session]:
    rows = sessions.visible(principal)
    if wanted.session:
        rows = rows.filter(pk=sessions.find(principal, wanted.session).pk)
    if wanted.team:
        rows = rows.filter(team__name=wanted.team)
    if wanted.is_own:
        own = Q(owner=principal.user_id) if principal.user_id else Q(owner_label=principal.label)
        rows = rows.filter(own)
    return rows


def _name(principal: Principal, wanted: Wanted) -> str:
    """What the same is kept under: for whoever reaches the same, and asks for the same."""
    scopes = {scope for scope, _ in PARTS.values()} | {"topics:read"}
    rights = sorted(scope for scope in scopes if principal.allows(scope))
    own = (principal.user_id, principal.label) if wanted.is_own else ()
    said = repr((sessions.reach(principal), principal.patterns, rights, own, wanted))
    return f"statistics.{sha256(said.encode()).hexdigest()}"


def _parts(principal: Principal, at: Scope) -> dict[str, Any]:
    found = {
        name: count(at) if principal.allows(scope) else None
        for name, (scope, count) in PARTS.items()
    }
    found["topics"] = counts.of_topics(at, principal) if principal.allows("topics:read") else None
    found["days"] = daily.by_day(at, principal)
    found["before"] = counts.totals(Scope(at.sessions, at.span.before, at.agent), principal)
    return found
