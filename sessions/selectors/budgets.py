"""What runs have used, and whether there is room for another request to a model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from aegis_project.kit.errors import NotFound
from aegis_project.kit.principal import Principal
from aegis_project.kit.quotas import Quota
from aegis_project.prepared import Prepared
from sessions.core import limits, matching, periods
from sessions.core.lifecycle import OPEN
from sessions.core.limits import Used
from sessions.core.runs import State, Waiting
from sessions.core.tools import DELEGATION
from sessions.models import Budget, Run, Session
from sessions.selectors import quotas, sessions

LIMITS = ("max_tokens", "max_cost")
MOST_SESSIONS = 100
DIGITS = 18
"""Of a number that every database takes."""


@dataclass(frozen=True, slots=True)
class Spent:
    """A budget, and what was used of it in its period until now."""

    budget: Budget
    used: Used

    @property
    def tokens(self) -> str:
        """The tokens that were used, and of how many."""
        return tokens(self.used, self.budget.max_tokens)

    @property
    def dollars(self) -> str:
        """The US dollars that were used, and of how many."""
        return dollars(self.used, self.budget.max_cost)


@dataclass(frozen=True, slots=True)
class SessionSpent:
    """A session with limits on all its runs together, and what they have used."""

    session: Session
    limits: Mapping[str, Any]
    used: Used

    @property
    def tokens(self) -> str:
        """The tokens that were used, and of how many."""
        return tokens(self.used, self.limits.get("max_tokens"))

    @property
    def dollars(self) -> str:
        """The US dollars that were used, and of how many."""
        most = self.limits.get("max_cost")
        return dollars(self.used, None if most is None else Decimal(most))


def tokens(used: Used, most: int | None) -> str:
    """So many tokens, and of how many, in words."""
    return str(used.tokens) if most is None else f"{used.tokens} of {most}"


def dollars(used: Used, most: Decimal | None) -> str:
    """So many US dollars, and of how many, in words."""
    said = f"{used.cost:.2f} $"
    return said if most is None else f"{said} of {most:.2f} $"


def readable(principal: Principal) -> QuerySet[Budget]:
    """
    The budgets of the principal's teams and its own; of everybody for who sees all teams.

    :raises PermissionDenied: without the scope sessions:read
    """
    principal.require("sessions:read")
    rows = Budget.objects.select_related("team", "user").order_by("pk")
    if principal.teams is None:
        return rows
    mine = Q(team__in=principal.teams)
    if principal.user_id is not None:
        mine |= Q(user=principal.user_id)
    return rows.filter(mine)


def find(principal: Principal, budget: str) -> Budget:
    """
    One budget by its number.

    :raises NotFound: if it is not there for the principal
    """
    is_number = budget.isascii() and budget.isdigit() and len(budget) <= DIGITS
    row = readable(principal).filter(pk=int(budget)).first() if is_number else None
    if row is None:
        raise NotFound("There is no such budget.")
    return row


def of_pk(pk: int) -> Budget:
    """A budget with its team or user, as it is kept."""
    return Budget.objects.select_related("team", "user").get(pk=pk)


def spent(principal: Principal) -> Iterator[Spent]:
    """
    Each budget that the principal sees, with what was used of it.

    :raises PermissionDenied: without the scope sessions:read
    """
    now = timezone.now()
    return (Spent(one, used(one, now=now)) for one in readable(principal))


def sessions_spent(principal: Principal) -> list[SessionSpent]:
    """
    The open sessions of the principal that limit tokens or money, the newest first; 100 at most.

    :raises PermissionDenied: without the scope sessions:read
    """
    principal.require("sessions:read")
    has_limit = Q(config__limits__has_any_keys=LIMITS)
    rows = sessions.visible(principal).filter(has_limit, state__in=OPEN)
    return [_of_session(one) for one in rows.order_by("-created_at", "-pk")[:MOST_SESSIONS]]


def _of_session(session: Session) -> SessionSpent:
    found = limits.totals(session.config["limits"])
    return SessionSpent(session, found, _used(Run.objects.filter(session=session)))


def used(budget: Budget, *, now: datetime) -> Used:
    """What was used of a budget since its period began."""
    runs = Run.objects.filter(**_whose(budget))
    begin = periods.began(budget.period, now=now)
    return _used(runs if begin is None else runs.filter(created_at__gte=begin))


def owner(budget: Budget) -> str:
    """Whose it is, in a word: ``team:desk``, ``user:ada``."""
    return f"team:{budget.team}" if budget.team else f"user:{budget.user}"


def check(run: Run, *, seconds: float = 0.0) -> None:
    """
    Go on only while the run, its session, its user and its team may use more.

    ``seconds`` were worked since the run was read. Its agent and session are related to it.

    :raises BudgetExceeded: naming whose limit is reached
    """
    agent = run.agent.limits if run.agent else {}
    limits.require("run", limits.effective(agent, run.limits), of_all(run, seconds=seconds))
    _check_session(run)
    _check_budgets(run, now=timezone.now())
    _check_quota(run)


def of_all(run: Run, *, seconds: float = 0.0) -> Used:
    """What a run has used, with the tokens and money of those that it began."""
    tokens, cost = run.token_count, run.cost
    for token_count, spent in _begun(parent=run.pk) if _gives_away(run) else ():
        tokens, cost = tokens + token_count, cost + spent
    return Used(steps=run.steps, seconds=run.worked_seconds + seconds, tokens=tokens, cost=cost)


def _gives_away(run: Run) -> bool:
    """Whether its agent can let others begin runs; most cannot, and nobody asks for theirs."""
    tools = run.agent.tools if run.agent else []
    return any(isinstance(one, str) and matching.like(DELEGATION, one) for one in tools)


@Prepared
def _begun(parent: UUID) -> QuerySet[Run, tuple[int, Decimal]]:
    return Run.objects.filter(parent=parent).values_list("token_count", "cost")


def held() -> list[UUID]:
    """The runs that wait for a budget, the longest waiting first."""
    rows = Run.objects.filter(state=State.WAITING.value, waiting_for=Waiting.BUDGET.value)
    return list(rows.order_by("created_at", "pk").values_list("pk", flat=True))


def room(run: Run) -> int | None:
    """How many tokens the limits of the run leave it; None if they do not count them."""
    agent = run.agent.limits if run.agent else {}
    most = limits.effective(agent, run.limits).get("max_tokens")
    return None if most is None else max(most - of_all(run).tokens, 0)


def _check_session(run: Run) -> None:
    given = run.session.config.get("limits")
    if isinstance(given, dict):
        found = limits.totals(given)
        if found:
            limits.require("session", found, _used(Run.objects.filter(session=run.session_id)))


def _check_budgets(run: Run, *, now: datetime) -> None:
    for budget in _budgets(team=run.session.team_id, user=run.user_id):
        whose = "user" if budget.user_id else "team"
        limits.require(whose, _of_budget(budget), used(budget, now=now))


def _check_quota(run: Run) -> None:
    if quotas.configured().limits(Quota.TOKENS_PER_DAY):
        found = quotas.use(run.session.team, Quota.TOKENS_PER_DAY)
        if found.most is not None:
            limits.require("team", {"max_tokens": found.most}, Used(tokens=found.used))


@Prepared
def _budgets(team: int, user: int | None) -> QuerySet[Budget]:
    mine = Q(team=team)
    if user is not None:
        mine |= Q(user=user)
    return Budget.objects.filter(mine).order_by("pk")


def _whose(budget: Budget) -> dict[str, Any]:
    if budget.user_id is not None:
        return {"user": budget.user_id}
    return {"session__team": budget.team_id}


def _of_budget(budget: Budget) -> dict[str, Any]:
    given = {name: getattr(budget, name) for name in LIMITS}
    return {name: value for name, value in given.items() if value is not None}


def _used(runs: QuerySet[Run]) -> Used:
    found = runs.aggregate(
        steps=Sum("steps"),
        seconds=Sum("worked_seconds"),
        tokens=Sum("token_count"),
        cost=Sum("cost"),
    )
    return Used(
        steps=found["steps"] or 0,
        seconds=found["seconds"] or 0.0,
        tokens=found["tokens"] or 0,
        cost=found["cost"] or Decimal(0),
    )
