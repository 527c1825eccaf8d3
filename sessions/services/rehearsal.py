"""What policies would say of calls: of one that nobody makes, and of those that were made."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aegis_project.kit.principal import Principal
from sessions.core import policy
from sessions.core.policy import Facts, Rule, Verdict
from sessions.core.rehearsal import Compared, Kind, then
from sessions.core.tool_calls import Risk
from sessions.models import ToolCall
from sessions.selectors import policies, sessions
from sessions.selectors import tool_calls as recorded
from sessions.services.policies import facts_of

DRAFT = "draft"
ALWAYS_ASKS = "tool/always-ask"
MOST = 10_000
"""Calls that are judged at once."""

Proposal = list[tuple[str, tuple[Rule, ...]]]


def judge(
    *, principal: Principal, facts: Facts, slugs: Sequence[str], rules: Sequence[Any]
) -> Verdict:
    """
    The verdict of these policies and rules, of which the most severe counts; nothing is written.

    :raises PermissionDenied: without the scope policies:read
    :raises PolicyNotFound: for one that is not there for the principal
    :raises ValidationFailed: for rules that cannot be
    """
    return _judged(_proposed(principal, slugs, rules), facts)


@dataclass(frozen=True, slots=True)
class Span:
    """Which recorded calls: of one session, of an agent, since a time; the newest ``limit``."""

    session: str = ""
    agent: str = ""
    since: datetime | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How many calls were judged, how they compare, and the calls that would go another way."""

    judged: int
    counts: dict[str, int]
    then: dict[str, int]
    now: dict[str, int]
    differing: list[tuple[ToolCall, Compared]]


def rehearse(
    *, principal: Principal, span: Span, slugs: Sequence[str], rules: Sequence[Any]
) -> Rehearsed:
    """
    What a proposal would have asked over recorded history, and what it would have missed.

    Each call is judged with the arguments that were asked for and with what its run has cost in
    the end. Rules made from decisions take no part. Nothing is written.

    :raises PermissionDenied: without the scopes policies:read and runs:read
    :raises SessionNotFound: for a session that is not there for the principal
    :raises PolicyNotFound: for a policy that is not
    :raises ValidationFailed: for rules that cannot be
    """
    principal.require("runs:read")
    proposal = _proposed(principal, slugs, rules)
    rows = _calls(principal, span)
    decided = recorded.decisions(rows)
    found = [
        (call, Compared(then(call.state, decision=decided.get(call.pk)), _verdict(proposal, call)))
        for call in rows
    ]
    return Rehearsed(
        judged=len(found),
        counts=_counted(one.kind for _, one in found),
        then=_counted(one.before for _, one in found),
        now=_counted(one.after for _, one in found),
        differing=[(call, one) for call, one in found if one.kind is not Kind.SAME],
    )


def _proposed(principal: Principal, slugs: Sequence[str], rules: Sequence[Any]) -> Proposal:
    principal.require("policies:read")
    found = [(slug, policy.read(policies.find(principal, slug).rules)) for slug in slugs]
    return [*found, (DRAFT, policy.read(list(rules)))]


def _judged(proposal: Proposal, facts: Facts) -> Verdict:
    verdicts = [policy.judge(rules, facts, policy=slug) for slug, rules in proposal]
    return policy.decided(verdicts, facts)


def _verdict(proposal: Proposal, call: ToolCall) -> Verdict:
    # What always asks did so, unless a policy asked before; what it was is not kept otherwise.
    is_asking = call.rule == ALWAYS_ASKS
    facts = facts_of(
        call.run, call.tool, call.asked_arguments, Risk(call.risk), always_ask=is_asking
    )
    return _judged(proposal, facts)


def _calls(principal: Principal, span: Span) -> list[ToolCall]:
    rows = recorded.judged(sessions.visible(principal))
    if span.session:
        rows = rows.filter(session=sessions.find(principal, span.session))
    if span.agent:
        rows = rows.filter(run__agent_slug=span.agent)
    if span.since is not None:
        rows = rows.filter(created_at__gte=span.since)
    return list(rows.order_by("-created_at", "-pk")[: span.limit])


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(str(word) for word in words).items()))
