"""Who may decide on a tool call, on which arguments, and whether what it rests on still holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from aegis_project.kit.errors import (
    PermissionDenied,
    PreconditionFailed,
    ServiceUnavailable,
    ValidationFailed,
)
from aegis_project.kit.principal import Principal
from components.models import Credential
from sessions.core import approvals, freshness
from sessions.core.errors import (
    ApprovalAlreadyDecided,
    ApprovalStale,
    ApprovalTimeout,
    InvalidToolArgs,
)
from sessions.core.freshness import Guard, Known
from sessions.core.policy import Remember, Who
from sessions.core.tool_calls import Risk
from sessions.models import Approval, Run, Session, ToolCall
from sessions.selectors import approvals as reading
from sessions.services import policies
from streaming.core import schemas

LONGEST_REASON = 2000
DECIDED = [approvals.State.APPROVED.value, approvals.State.REJECTED.value]


@dataclass(frozen=True, slots=True)
class Case:
    """All that a decision is about, locked until the transaction ends."""

    session: Session
    run: Run
    tool_call: ToolCall
    approval: Approval

    @property
    def who(self) -> Who:
        """Who may decide."""
        return msgspec.convert(self.approval.who, Who)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody says of a case; ``evidence`` is what is known now, ``version`` what they saw."""

    approved: bool
    reason: str = ""
    edited_arguments: Mapping[str, Any] | None = None
    remember: Remember | None = None
    version: int | None = None
    evidence: Known | None = None


def locked(found: Approval) -> Case:
    """The case of an approval, locked in the order of all: session, run, tool call, approval."""
    session = Session.objects.locked(found.session_id)
    run = Run.objects.locked(found.run_id)
    tool_call = ToolCall.objects.locked(found.tool_call_id)
    approval = Approval.objects.locked(found.pk)
    run.session = tool_call.session = approval.session = session
    tool_call.run = approval.run = run
    approval.tool_call = tool_call
    return Case(session, run, tool_call, approval)


def check(
    case: Case, order: Order, principal: Principal, *, now: datetime
) -> dict[str, Any] | None:
    """
    The edited arguments, if any, of a decision that may be made now.

    :raises AegisError: as :func:`sessions.services.approvals.decide`
    """
    check_who(case, case.who, principal)
    check_open(case.approval, order.version, now=now)
    check_reason(case.who, approved=order.approved, reason=order.reason)
    if order.approved:
        check_digest(case)
        check_fresh(case, order.evidence, at=now)
        return edited(case, order.edited_arguments, principal)
    if order.edited_arguments is not None:
        raise ValidationFailed("What is rejected is not edited.", field="edited_arguments")
    return None


def check_open(row: Approval, version: int | None, *, now: datetime) -> None:
    """
    Go on only if it is still to be decided, and has not moved on since ``version``.

    :raises ApprovalAlreadyDecided: if it was decided, expired or cancelled
    :raises ApprovalTimeout: if its time is over
    :raises PreconditionFailed: if it has moved on
    """
    if not row.is_open:
        raise ApprovalAlreadyDecided(
            f"It is {row.state} already.", state=row.state, by=row.decided_by, at=row.decided_at
        )
    if row.is_late(now):
        raise ApprovalTimeout(expired_at=row.expires_at)
    if version is not None and version != row.version:
        raise PreconditionFailed(version=row.version)


def check_who(case: Case, who: Who, principal: Principal) -> None:
    """
    Go on only if the principal may decide this.

    :raises PermissionDenied: saying what excludes them
    """
    if principal.kind == "component":
        raise PermissionDenied("A component decides on nothing.")
    principal.require(who.permission)
    if not (who.four_eyes or who.not_owner):
        return
    if principal.kind != "user":
        raise PermissionDenied("This needs a person who is signed in.")
    if who.four_eyes and _is_cause(case, principal):
        raise PermissionDenied("Whoever caused the run cannot decide on it.", rule="four_eyes")
    if who.four_eyes and _has_decided(case, principal):
        raise PermissionDenied("Somebody else has to decide this time.", rule="four_eyes")
    if who.not_owner and _is_owner(case.session, principal):
        raise PermissionDenied("The owner of the session cannot decide.", rule="not_owner")


def _is_cause(case: Case, principal: Principal) -> bool:
    run = case.run
    if principal.actor == run.requested_by or _is(principal, run.user_id):
        return True
    kind, _, label = run.requested_by.partition(":")
    # A credential is nobody: whoever made it is behind it.
    made = Credential.objects.filter(team=case.session.team_id, created_by=principal.actor)
    return kind == "credential" and made.filter(name=label).exists()


def _has_decided(case: Case, principal: Principal) -> bool:
    others = Approval.objects.exclude(pk=case.approval.pk)
    earlier = others.filter(tool_call=case.tool_call, state__in=DECIDED)
    return any(
        actor == principal.actor or _is(principal, user_id)
        for actor, user_id in earlier.values_list("decided_by", "decider")
    )


def _is(principal: Principal, user_id: int | None) -> bool:
    return user_id is not None and principal.user_id == user_id


def _is_owner(session: Session, principal: Principal) -> bool:
    if session.owner_id is not None:
        return _is(principal, session.owner_id)
    return principal.label == session.owner_label


def check_reason(who: Who, *, approved: bool, reason: str) -> None:
    """
    Go on only with a reason that can be kept, and one where the rule asks for it.

    :raises ValidationFailed: otherwise
    """
    if len(reason) > LONGEST_REASON:
        raise ValidationFailed(f"A reason has at most {LONGEST_REASON} characters.", field="reason")
    if who.reason and not approved and not reason.strip():
        raise ValidationFailed("A rejection needs a reason here.", field="reason")


def check_digest(case: Case) -> None:
    """
    Go on only if the call is still what somebody was asked about.

    :raises ApprovalStale: otherwise
    """
    if case.approval.digest != case.tool_call.digest_of(case.tool_call.arguments):
        raise ApprovalStale("The call is not the one that was asked about.", why="changed")


def edited(
    case: Case, arguments: Mapping[str, Any] | None, principal: Principal
) -> dict[str, Any] | None:
    """
    The arguments that are to replace those asked for, or None when they stay.

    They keep to the tool's form, and a policy that denies them denies them here too; who may
    decide on them is who may decide on such a call.

    :raises InvalidToolArgs: for arguments that are not those of the tool
    :raises PermissionDenied: for some that a policy denies, or others would have to decide on
    """
    if arguments is None or dict(arguments) == case.tool_call.arguments:
        return None
    call = case.tool_call
    form = schemas.compiled(case.approval.parameters)
    fault = form.fault(msgspec.json.encode(arguments))
    if fault:
        raise InvalidToolArgs(fault, tool=call.tool)
    facts = policies.facts_of(case.run, call.tool, dict(arguments), Risk(call.risk))
    verdict = policies.judged(case.run, facts)
    if verdict.kind == "deny":
        raise PermissionDenied("A policy denies such a call.", rule=verdict.rule)
    if not verdict.lets_by:
        check_who(case, verdict.who, principal)
    return dict(arguments)


def check_fresh(case: Case, now: Known | None, *, at: datetime) -> None:
    """
    Go on only if nothing moved too far since somebody was asked; ``now`` is what is known.

    :raises ApprovalStale: with what moved, or because the requester is gone
    :raises ServiceUnavailable: if it would have to be known and is not
    """
    if reading.is_requester_gone(case.approval):
        raise ApprovalStale("Who asked for it is gone.", why="requester", moved=[])
    guards = msgspec.convert(case.approval.freshness, list[Guard])
    if not guards:
        return
    if now is None:
        raise ServiceUnavailable("What it rests on cannot be seen from here; decide at the server.")
    moved = freshness.moved(
        guards,
        arguments=case.tool_call.arguments,
        then=case.approval.evidence,
        now=now,
        times=(_ms(case.approval.requested_at), _ms(at)),
    )
    if moved:
        raise ApprovalStale(why="moved", moved=msgspec.to_builtins(moved))


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
