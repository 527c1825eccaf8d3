"""What the policies say of a tool call, and changing policies and the rules made from decisions."""

from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

import msgspec
from django.utils import timezone

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import matching, policy
from sessions.core.events import WorkEvent
from sessions.core.lifecycle import Environment
from sessions.core.matching import Condition
from sessions.core.policy import Facts, Remember, Verdict
from sessions.core.tool_calls import Risk
from sessions.models import Approval, Grant, Run
from sessions.selectors import policies
from streaming.services import ledger
from streaming.services.commands import command


class Asked(Protocol):
    """What an agent asks for: a tool, and with what."""

    @property
    def tool(self) -> str: ...

    @property
    def arguments(self) -> dict[str, Any]: ...


class Spec(Protocol):
    """What policies need to know of a tool."""

    @property
    def risk(self) -> Risk: ...

    @property
    def always_ask(self) -> bool: ...

    @property
    def parameters(self) -> dict[str, Any]: ...


def judge(run: Run, call: Asked, spec: Spec) -> Verdict:
    """
    What is to become of a call: whether it needs a decision, by which rule, whose and how soon.

    The most severe of the policies of the agent and of the session counts. A rule made from a
    decision lets by what would ask, or denies; it never lets by what a policy denies, nor a tool
    that always asks.
    """
    facts = facts_of(run, call.tool, call.arguments, Risk(spec.risk), always_ask=spec.always_ask)
    return replace(judged(run, facts), parameters=dict(spec.parameters))


def facts_of(
    run: Run, tool: str, arguments: dict[str, Any], risk: Risk, *, always_ask: bool = False
) -> Facts:
    """What rules may ask of a call of this run."""
    return Facts(
        tool=tool,
        arguments=arguments,
        risk=risk,
        agent=run.agent_slug,
        user=run.requested_by,
        environment=Environment(run.session.environment),
        cost=float(run.cost),
        always_ask=always_ask,
    )


def judged(run: Run, facts: Facts) -> Verdict:
    """The verdict on a call of a run, with the rules made from decisions."""
    found = [policy.judge(rules, facts, policy=slug) for slug, rules in policies.of_run(run)]
    verdict = policy.decided(found, facts)
    for grant in policies.grants_of_call(run, facts.tool):
        if grant.verdict == "deny" and _covers(grant, facts):
            return Verdict(kind="deny", rule=rule_of(grant))
    return verdict if verdict.kind != "approve" else _granted(run, facts, verdict)


def _granted(run: Run, facts: Facts, verdict: Verdict) -> Verdict:
    if facts.always_ask or not verdict.who.remember:
        return verdict
    for grant in policies.grants_of_call(run, facts.tool):
        # Who caused a run does not let it by, also not by a rule that they made before.
        is_own = verdict.who.four_eyes and _is_by_cause(grant, run)
        if grant.verdict == "auto" and not is_own and _covers(grant, facts):
            return Verdict(kind="auto", rule=rule_of(grant))
    return verdict


def _is_by_cause(grant: Grant, run: Run) -> bool:
    decider = grant.approval.decider_id if grant.approval is not None else None
    is_same = decider is not None and decider == run.user_id
    return is_same or grant.made_by == run.requested_by


def _covers(grant: Grant, facts: Facts) -> bool:
    conditions = msgspec.convert(grant.conditions, list[Condition])
    of_each = grant.verdict == "auto"
    return all(matching.holds(one, facts.arguments, of_each=of_each) for one in conditions)


def rule_of(grant: Grant) -> str:
    """How a tool call names the rule made from a decision that let it by, or denied it."""
    return f"grant/{grant.pk}"


def remember(
    approval: Approval, order: Remember, *, verdict: str, principal: Principal, run: Run
) -> Grant:
    """
    Make a rule from a decision, in its transaction, with exactly the scope that was asked for.

    :raises ValidationFailed: if no rule may be made of it, or its end is over
    :raises PermissionDenied: for one beyond its session, without the scope policies:write
    """
    if order.scope == "agent":
        principal.require("policies:write")
    if not approval.who.get("remember", True):
        raise ValidationFailed("No rule can be made of this decision.", field="remember")
    if order.until is not None and order.until <= timezone.now():
        raise ValidationFailed("The end of the rule is over.", field="remember.until")
    session = approval.session
    grant = Grant.objects.create(
        tool=approval.tool_call.tool,
        verdict=verdict,
        conditions=msgspec.to_builtins(order.conditions),
        approval=approval,
        team_id=session.team_id,
        made_by=principal.actor,
        until=order.until,
        **_scope(order, run),
    )
    ledger.append(
        session_id=session.pk,
        type=WorkEvent.POLICY_GRANTED.value,
        actor=principal.actor,
        grant=grant.pk,
        approval=approval.pk,
        scope=order.scope,
        tool=grant.tool,
        verdict=verdict,
        until=order.until,
        by=principal.actor,
    )
    return grant


def _scope(order: Remember, run: Run) -> dict[str, Any]:
    if order.scope == "run":
        return {"run": run, "session": run.session}
    if order.scope == "session":
        return {"session": run.session}
    if run.agent is None:
        raise ValidationFailed("The agent is gone.", field="remember.scope")
    return {"agent": run.agent, "environment": run.session.environment}


@command("grant.revoke", scope="policies:write")
def revoke(*, principal: Principal, grant: UUID | str) -> Grant:
    """
    Take a rule made from a decision back; one that was taken back stays so.

    :raises GrantNotFound: if it is not there for the principal
    """
    found = policies.grant(principal, grant)
    row = Grant.objects.select_for_update(of=("self",), no_key=True).get(pk=found.pk)
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        session_id = row.session_id or _session_of(row)
        if session_id is not None:
            ledger.append(
                session_id=session_id,
                type=WorkEvent.POLICY_REVOKED.value,
                actor=principal.actor,
                grant=row.pk,
                tool=row.tool,
                by=principal.actor,
            )
    return row


def _session_of(grant: Grant) -> UUID | None:
    return grant.approval.session_id if grant.approval is not None else None
