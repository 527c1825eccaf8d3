"""What there is of sessions in a span of time, counted by the database."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, F, Q, QuerySet, Sum

from aegis_project.kit.principal import Principal
from sessions.core import approvals, lifecycle, runs, tool_calls
from sessions.core.statistics import Span, quantile, share
from sessions.models import Approval, Message, Run, Session, ToolCall
from streaming.models import Log
from streaming.models.log import LEDGER
from streaming.selectors import logs

TOP = 10
# Of so many decisions, the newest, times are told.
JUDGED = 10_000
# Of so many topics those are told apart that a credential reaches.
REACHED = 10_000
FINISHED = (
    lifecycle.State.COMPLETED.value,
    lifecycle.State.FAILED.value,
    lifecycle.State.ENDED.value,
)
DECIDED = (approvals.State.APPROVED.value, approvals.State.REJECTED.value)


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which sessions, in which span, and of which agent (any, if empty)."""

    sessions: QuerySet[Session]
    span: Span
    agent: str = ""

    def within(self, field: str) -> Q:
        """The condition that a time is in the span."""
        return Q(**{f"{field}__gte": self.span.since, f"{field}__lt": self.span.until})

    @property
    def runs(self) -> QuerySet[Run]:
        """The runs that were asked for in it."""
        of_agent = Q(agent_slug=self.agent) if self.agent else Q()
        return Run.objects.filter(self.within("created_at"), of_agent, self._inside)

    @property
    def tool_calls(self) -> QuerySet[ToolCall]:
        of_agent = Q(run__agent_slug=self.agent) if self.agent else Q()
        return ToolCall.objects.filter(self.within("created_at"), of_agent, self._inside)

    @property
    def approvals(self) -> QuerySet[Approval]:
        of_agent = Q(run__agent_slug=self.agent) if self.agent else Q()
        return Approval.objects.filter(self.within("requested_at"), of_agent, self._inside)

    @property
    def messages(self) -> QuerySet[Message]:
        of_agent = Q(agent=self.agent) if self.agent else Q()
        return Message.objects.filter(self.within("created_at"), of_agent, self._inside)

    @property
    def _inside(self) -> Q:
        return Q(session__in=self.sessions.order_by().values("pk"))


def of_sessions(at: Scope) -> dict[str, Any]:
    """How they stand now, and how many were made and came to an end in the span."""
    rows = at.sessions.order_by()
    kinds: Counter[str] = Counter()
    states: Counter[str] = Counter()
    for kind, state, count in rows.values_list("kind", "state").annotate(count=Count("pk")):
        kinds[kind] += count
        states[state] += count
    over = rows.filter(at.within("state_changed_at"), state__in=FINISHED)
    ends = dict(over.values_list("state").annotate(count=Count("pk")))
    completed, failed = ends.get(FINISHED[0], 0), ends.get(FINISHED[1], 0)
    return {
        "total": states.total(),
        "by_state": dict(sorted(states.items())),
        "by_kind": dict(sorted(kinds.items())),
        "created": rows.filter(at.within("created_at")).count(),
        "completed": completed,
        "failed": failed,
        "ended": ends.get(FINISHED[2], 0),
        "success": share(completed, of=completed + failed),
    }


def of_messages(at: Scope) -> dict[str, Any]:
    """What was said in the span, by who said it."""
    rows = at.messages.order_by().values_list("role")
    found = list(rows.annotate(count=Count("pk"), tokens=Sum("token_count")))
    return {
        "total": sum(count for _, count, _ in found),
        "by_role": {role: count for role, count, _ in sorted(found)},
        "tokens": sum(tokens or 0 for _, _, tokens in found),
    }


def of_runs(at: Scope) -> dict[str, Any]:
    """The runs that were asked for in the span, and what they took."""
    rows = at.runs.order_by().values("state")
    found = list(
        rows.annotate(
            count=Count("pk"),
            all_tokens=Sum("token_count"),
            all_cost=Sum("cost"),
            all_steps=Sum("steps"),
            all_seconds=Sum("worked_seconds"),
        )
    )
    states = {one["state"]: one["count"] for one in sorted(found, key=lambda one: one["state"])}
    completed = states.get(runs.State.COMPLETED.value, 0)
    failed = states.get(runs.State.FAILED.value, 0)
    return {
        "total": sum(states.values()),
        "by_state": states,
        "tokens": sum(one["all_tokens"] for one in found),
        "cost": money(sum((one["all_cost"] for one in found), Decimal(0))),
        "steps": sum(one["all_steps"] for one in found),
        "worked_seconds": round(sum(one["all_seconds"] for one in found), 3),
        "success": share(completed, of=completed + failed),
    }


def of_tool_calls(at: Scope) -> dict[str, Any]:
    """What tools were asked for in the span, and what came of it."""
    states = dict(at.tool_calls.order_by().values_list("state").annotate(count=Count("pk")))
    failed = Count("pk", filter=Q(state=tool_calls.State.FAILED.value))
    took = Avg(F("ended_at") - F("started_at"))
    rows = at.tool_calls.values_list("tool").annotate(count=Count("pk"), bad=failed, took=took)
    good, bad = (
        states.get(one.value, 0) for one in (tool_calls.State.COMPLETED, tool_calls.State.FAILED)
    )
    return {
        "total": sum(states.values()),
        "by_state": dict(sorted(states.items())),
        "success": share(good, of=good + bad),
        "tools": [
            {
                "tool": tool,
                "calls": count,
                "failed": wrong,
                "seconds": round(mean.total_seconds(), 3) if mean is not None else None,
            }
            for tool, count, wrong, mean in rows.order_by("-count", "tool")[:TOP]
        ],
    }


def of_approvals(at: Scope) -> dict[str, Any]:
    """What was asked in the span, and how long people took to decide it."""
    states = dict(at.approvals.order_by().values_list("state").annotate(count=Count("pk")))
    decided = at.approvals.filter(state__in=DECIDED).exclude(decided_at=None)
    times: QuerySet[Any, Any] = decided.order_by("-requested_at").values_list(
        "requested_at", "decided_at"
    )[:JUDGED]
    took = sorted((end - begin).total_seconds() for begin, end in times)
    expired = states.get(approvals.State.EXPIRED.value, 0)
    total = sum(states.values())
    return {
        "total": total,
        "by_state": dict(sorted(states.items())),
        "p50_seconds": _seconds(quantile(took, 0.5)),
        "p95_seconds": _seconds(quantile(took, 0.95)),
        "waited_seconds": round(sum(took), 3),
        "expired": share(expired, of=total - states.get(approvals.State.PENDING.value, 0)),
    }


def of_topics(at: Scope, principal: Principal) -> dict[str, Any]:
    """The topics of the sessions as they are now, and those with the most records."""
    rows = logs.readable(principal).filter(session__in=at.sessions.order_by().values("pk"))
    rows = rows.exclude(name=LEDGER).exclude(name__startswith="runs.")
    if principal.patterns:
        some = rows.order_by("-head", "pk").values_list("pk", "name")[:REACHED]
        rows = rows.filter(pk__in=[pk for pk, name in some if logs.may_see(principal, name)])
    counted = rows.aggregate(total=Count("pk"), recorded=Count("pk", filter=Q(recorded=True)))
    return {**counted, "top": [_topic(one) for one in _noisy(rows)]}


def _noisy(rows: QuerySet[Log]) -> QuerySet[Log]:
    return rows.select_related("session").order_by("-head", "pk")[:TOP]


def _topic(row: Log) -> dict[str, Any]:
    session: Any = row.session
    return {"session": str(session.pk), "key": session.key, "topic": row.name, "records": row.head}


def by_agent(at: Scope) -> list[dict[str, Any]]:
    """The agents with the most runs in the span."""
    return _top(at.runs.values_list("agent_slug"), ("agent",))


def by_session(at: Scope) -> list[dict[str, Any]]:
    """The sessions with the most runs in the span."""
    rows = at.runs.values_list("session_id", "session__key", "session__name")
    return _top(rows, ("session", "key", "name"))


def _top(rows: QuerySet[Run, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    failed = Count("pk", filter=Q(state=runs.State.FAILED.value))
    found = rows.annotate(
        count=Count("pk"), bad=failed, all_tokens=Sum("token_count"), all_cost=Sum("cost")
    )
    some = found.order_by("-count", names[0] if names[0] == "session" else "agent_slug")[:TOP]
    return [
        {name: str(value) for name, value in zip(names, line[:-4], strict=True)}
        | {"runs": line[-4], "failed": line[-3], "tokens": line[-2], "cost": money(line[-1])}
        for line in some
    ]


def totals(at: Scope, may: Principal) -> dict[str, Any]:
    """How much there was in the span, without any detail; None is what may not be read."""
    spent = at.runs.aggregate(
        count=Count("pk"), all_tokens=Sum("token_count"), all_cost=Sum("cost")
    )
    of_runs = {
        "runs": spent["count"],
        "tokens": spent["all_tokens"] or 0,
        "cost": money(spent["all_cost"] or Decimal(0)),
        "tool_calls": at.tool_calls.count(),
    }
    return {
        "sessions": at.sessions.filter(at.within("created_at")).count(),
        "messages": at.messages.count() if may.allows("messages:read") else None,
        "approvals": at.approvals.count() if may.allows("approvals:read") else None,
        **(of_runs if may.allows("runs:read") else dict.fromkeys(of_runs)),
    }


def money(amount: Decimal) -> str:
    return f"{amount:.6f}"


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
