from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from time_machine import travel

from aegis_project.kit.errors import (
    PermissionDenied,
    PreconditionFailed,
    ServiceUnavailable,
    ValidationFailed,
)
from aegis_project.kit.principal import Principal, system
from components import auth
from components.models import Component
from components.services import credentials
from sessions.core import run_log
from sessions.core.conditions import Condition
from sessions.core.errors import (
    ApprovalAlreadyDecided,
    ApprovalNotFound,
    ApprovalStale,
    ApprovalTimeout,
    InvalidToolArgs,
)
from sessions.core.freshness import Guard
from sessions.core.policy import Remember, Who
from sessions.models import Agent, Approval, Policy, Session
from sessions.selectors import approvals as reading
from sessions.selectors import sessions
from sessions.services import approvals, lifecycle, runs
from streaming.models import AuditEntry, Record
from tests import asking, factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

PRICE = {"book.BTC": {"value": {"price": 100}, "ts": 0, "seq": 1}}
MOVED = {"book.BTC": {"value": {"price": 103}, "ts": 9, "seq": 2}}
GUARD = Guard(topic="book.{symbol}", path="price", percent=2)


@pytest.fixture
def session() -> Session:
    made = factories.session()
    lifecycle.start(principal=OPERATOR, session=made)
    return made


def person(name: str, session: Session) -> Principal:
    """Somebody who is signed in and may do everything."""
    user = User.objects.create_user(name, is_superuser=True)
    user.groups.add(session.team)
    return auth.of_user(user, transport="test")


def decide(approval, *, by=OPERATOR, approved=True, **order):
    return approvals.decide(principal=by, approval=approval, approved=approved, **order)


def test_approving_lets_the_call_by_and_the_run_go_on(session):
    run = asking.run(session)
    approval = asking.approval(run)
    asking.waiting(run)

    found = decide(approval.pk, reason="looks right")

    run.refresh_from_db()
    row, call = found.approval, found.tool_call
    assert (row.state, call.state, run.state, run.waiting_for) == (
        "approved",
        "approved",
        "queued",
        "",
    )
    assert (row.decided_by, row.reason, row.version) == ("user:operator", "looks right", 2)
    told = {"approval": str(row.pk), "tool_call": str(call.pk), "run": str(run.pk)}
    of_call = {"tool_call": str(call.pk), "run": str(run.pk), "tool": "orders.place"}
    assert factories.told(session)[-3:] == [
        (
            "approval.decided",
            told
            | {
                "tool": "orders.place",
                "state": "approved",
                "by": "user:operator",
                "reason": "looks right",
                "edited": False,
                "digest": call.digest,
            },
        ),
        ("tool_call.approved", of_call | {"by": "user:operator", "edited": False}),
        ("run.resumed", {"run": str(run.pk), "agent": "trader"}),
    ]


def test_asking_is_told_with_what_exactly_is_asked(session):
    run = asking.run(session)

    approval = asking.approval(run, evidence=PRICE, seconds=60)

    assert approval.expires_at - approval.requested_at == timedelta(seconds=60)
    assert (approval.requested_by, approval.evidence) == ("agent:trader", PRICE)
    type_, data = factories.told(session)[-1]
    assert type_ == "approval.requested"
    assert data == {
        "approval": str(approval.pk),
        "tool_call": str(approval.tool_call_id),
        "run": str(run.pk),
        "tool": "orders.place",
        "risk": "medium",
        "rule": "desk/orders",
        "digest": approval.tool_call.digest,
        "expires_at": approval.expires_at.isoformat().replace("+00:00", "Z"),
    }


def test_run_goes_on_when_its_set_is_complete(session):
    run = asking.run(session)
    first, second = asking.approval(run), asking.approval(run)
    asking.waiting(run)

    decide(second, approved=False, reason="no")
    run.refresh_from_db()
    state_after_one = run.state
    decide(first)
    run.refresh_from_db()

    assert (state_after_one, run.state) == ("waiting", "queued")


def test_rejecting_ends_the_call_with_its_reason(session):
    approval = asking.approval(asking.run(session))

    call = decide(approval, approved=False, reason="too much").tool_call

    assert call.state == "rejected"
    assert call.error == {
        "code": "APPROVAL_REJECTED",
        "message": "too much",
        "details": {"by": "user:operator"},
    }


def test_streams_of_a_run_learn_that_a_call_was_rejected(session):
    run = asking.run(session)
    approval = asking.approval(run)
    asking.waiting(run)

    call = decide(approval, approved=False, reason="too much").tool_call

    bodies = Record.objects.filter(log__name=f"runs.{run.pk}").order_by("seq")
    told = [run_log.decode(bytes(one)) for one in bodies.values_list("body", flat=True)]
    last, status = told[-2:]
    assert status == run_log.Status(state="queued")
    assert isinstance(last, run_log.ToolResult)
    assert (last.id, last.state, last.error) == (str(call.pk), "rejected", call.error)


def test_decision_is_made_once(session):
    approval = asking.approval(asking.run(session))
    decide(approval)

    with pytest.raises(ApprovalAlreadyDecided) as refused:
        decide(approval, approved=False)

    assert refused.value.details["state"] == "approved"
    assert AuditEntry.objects.filter(command="approval.decide").count() == 2


def test_decision_past_the_deadline_is_refused_and_the_call_expires(session):
    run = asking.run(session)
    approval = asking.approval(run, seconds=60)
    asking.waiting(run)

    with travel(approval.expires_at, tick=False), pytest.raises(ApprovalTimeout):
        decide(approval)

    approval.refresh_from_db()
    run.refresh_from_db()
    call = approval.tool_call
    call.refresh_from_db()
    assert (approval.state, approval.decided_by) == ("expired", "system:approvals")
    assert (call.state, run.state) == ("expired", "queued")
    assert call.error == ApprovalTimeout().as_dict()
    assert factories.events(session)[-3:] == [
        "approval.expired",
        "tool_call.expired",
        "run.resumed",
    ]


def test_decision_a_moment_before_the_deadline_counts(session):
    approval = asking.approval(asking.run(session), seconds=60)

    with travel(approval.expires_at - timedelta(milliseconds=1), tick=False):
        assert decide(approval).approval.state == "approved"


@pytest.mark.parametrize(
    ("on_timeout", "state", "event"),
    [("reject", "expired", "tool_call.expired"), ("approve", "approved", "tool_call.approved")],
)
def test_sweep_ends_what_nobody_decided_as_its_rule_says(session, on_timeout, state, event):
    run = asking.run(session)
    due, later = asking.approval(run, seconds=60, on_timeout=on_timeout), asking.approval(run)

    with travel(due.expires_at + timedelta(seconds=1), tick=False):
        ended = [approvals.expire_due(), approvals.expire_due()]

    due.refresh_from_db()
    later.refresh_from_db()
    due.tool_call.refresh_from_db()
    assert ended == [1, 0]
    assert (due.state, due.tool_call.state, later.state) == ("expired", state, "pending")
    assert factories.events(session)[-2:] == ["approval.expired", event]


def test_what_is_cancelled_with_its_run_needs_no_decision(session):
    run = asking.run(session)
    approval = asking.approval(run)

    runs.cancel(principal=OPERATOR, run=run)

    with pytest.raises(ApprovalAlreadyDecided) as refused:
        decide(approval)
    assert refused.value.details["state"] == "cancelled"
    assert not approvals.expire(approval.pk)


@pytest.mark.parametrize("verb", ["stop", "complete", "end", "delete"])
def test_nothing_waits_in_a_session_that_is_over(session, verb):
    approval = asking.approval(asking.run(session))

    getattr(lifecycle, verb)(principal=OPERATOR, session=session)

    approval.refresh_from_db()
    assert approval.state == "cancelled"
    assert "approval.cancelled" in factories.events(session)


def test_stale_version_is_refused(session):
    approval = asking.approval(asking.run(session))
    approvals.claim(principal=OPERATOR, approval=approval)

    with pytest.raises(PreconditionFailed) as refused:
        decide(approval, version=1)

    assert refused.value.details == {"version": 2}
    assert decide(approval, version=2).approval.version == 3


# Who may


def test_only_whoever_may_decide_and_sees_it_decides(session):
    approval = asking.approval(asking.run(session))
    viewer = factories.member(session.team, scopes=["approvals:read"])
    stranger = factories.member(factories.team("others"))

    with pytest.raises(PermissionDenied):
        decide(approval, by=viewer)
    with pytest.raises(ApprovalNotFound):
        decide(approval, by=stranger)
    with pytest.raises(ApprovalNotFound):
        decide("nothing")
    with pytest.raises(PermissionDenied):
        decide(approval, by=_component(session))

    approval.refresh_from_db()
    assert approval.state == "pending"


def _component(session):
    token = credentials.mint(
        name="token",
        scopes=["approvals:decide"],
        patterns=["**"],
        team_id=session.team_id,
        session_id=session.pk,
        created_by="test",
    )
    return credentials.principal_of(token.credential, transport="test")


def test_rule_may_ask_for_more_than_the_right_to_decide(session):
    approval = asking.approval(asking.run(session), who=Who(permission="policies:write"))
    approver = factories.member(session.team, scopes=["approvals:decide"])

    with pytest.raises(PermissionDenied):
        decide(approval, by=approver)

    assert decide(approval).approval.state == "approved"


def test_four_eyes_exclude_whoever_caused_the_run(session):
    ana, ben = person("ana", session), person("ben", session)
    approval = asking.approval(asking.run(session, by=ana), who=Who(four_eyes=True))

    with pytest.raises(PermissionDenied):
        decide(approval, by=ana)

    assert decide(approval, by=ben).approval.decider_id == ben.user_id
    with pytest.raises(ApprovalAlreadyDecided):
        decide(approval, by=ben)


def test_four_eyes_look_through_a_credential_to_who_made_it(session):
    ana = person("ana", session)
    bot = credentials.issue(
        principal=ana, name="bot", scopes=["runs:write"], team_id=session.team_id
    )
    of_bot = credentials.principal_of(bot.credential, transport="test")
    approval = asking.approval(asking.run(session, by=of_bot), who=Who(four_eyes=True))

    with pytest.raises(PermissionDenied):
        decide(approval, by=ana)


def test_four_eyes_exclude_whoever_decided_on_the_call_before(session):
    run = asking.run(session)
    ana, ben = person("ana", session), person("ben", session)
    call = asking.asked(run)
    decide(asking.approval(run, call=call), by=ana)
    call.state = "pending"
    call.save()
    again = asking.approval(run, call=call, who=Who(four_eyes=True))

    with pytest.raises(PermissionDenied):
        decide(again, by=ana)

    assert decide(again, by=ben).approval.state == "approved"


@pytest.mark.parametrize("who", [Who(four_eyes=True), Who(not_owner=True)])
def test_who_is_nobody_in_particular_is_no_second_person(session, who):
    approval = asking.approval(asking.run(session), who=who)

    for principal in (system("cli"), auth.of_open(transport="test")):
        with pytest.raises(PermissionDenied):
            decide(approval, by=principal)


def test_owner_may_be_excluded(session):
    ana, ben = person("ana", session), person("ben", session)
    Session.objects.filter(pk=session.pk).update(owner=ana.user_id)
    approval = asking.approval(asking.run(session), who=Who(not_owner=True))

    with pytest.raises(PermissionDenied):
        decide(approval, by=ana)

    assert decide(approval, by=ben).approval.state == "approved"


def test_owner_that_has_only_a_name_may_be_excluded(session):
    Session.objects.filter(pk=session.pk).update(owner=None, owner_label="member")
    approval = asking.approval(asking.run(session), who=Who(not_owner=True))

    with pytest.raises(PermissionDenied):
        decide(approval, by=factories.member(session.team))


def test_rejection_may_need_a_reason(session):
    approval = asking.approval(asking.run(session), who=Who(reason=True))

    with pytest.raises(ValidationFailed):
        decide(approval, approved=False, reason=" ")
    with pytest.raises(ValidationFailed):
        decide(approval, approved=False, reason="x" * 2001)

    assert decide(approval, approved=False, reason="no").approval.reason == "no"


# With what


def test_edited_arguments_are_what_is_carried_out(session):
    approval = asking.approval(asking.run(session))
    asked = approval.digest

    found = decide(approval, edited_arguments={"symbol": "ETH", "quantity": 3})

    row, call = found.approval, found.tool_call
    assert call.arguments == row.edited_arguments == {"symbol": "ETH", "quantity": 3}
    assert call.asked_arguments == {"symbol": "BTC", "quantity": 5}
    assert row.digest == call.digest == call.digest_of(call.arguments) != asked
    assert factories.told(session)[-2][1]["edited"] is True
    entry = AuditEntry.objects.get(command="approval.decide")
    assert entry.detail["asked"] == {"symbol": "BTC", "quantity": 5}
    assert entry.detail["edited"] == {"symbol": "ETH", "quantity": 3}


def test_same_arguments_are_no_edit(session):
    approval = asking.approval(asking.run(session))

    found = decide(approval, edited_arguments={"quantity": 5, "symbol": "BTC"})

    assert found.approval.edited_arguments is None
    assert found.approval.digest == approval.digest


@pytest.mark.parametrize(
    "arguments", [{"symbol": "BTC", "quantity": "3"}, {"quantity": 3}, {"symbol": "B", "x": 1}]
)
def test_edited_arguments_keep_to_the_form_of_the_tool(session, arguments):
    approval = asking.approval(asking.run(session))

    with pytest.raises(InvalidToolArgs):
        decide(approval, edited_arguments=arguments)

    approval.refresh_from_db()
    assert approval.state == "pending"


def test_edit_does_not_get_around_a_policy():
    rules = [
        {"verdict": "deny", "arguments": [{"path": "quantity", "op": "gt", "value": 50}]},
        {
            "verdict": "approve",
            "arguments": [{"path": "quantity", "op": "gt", "value": 20}],
            "who": {"permission": "policies:write"},
        },
    ]
    desk = Policy.objects.create(slug="desk", rules=rules)
    session = factories.session(config={"policy": desk.slug})
    approval = asking.approval(asking.run(session))
    approver = factories.member(session.team, scopes=["approvals:decide"])

    with pytest.raises(PermissionDenied) as denied:
        decide(approval, edited_arguments={"symbol": "BTC", "quantity": 51})
    with pytest.raises(PermissionDenied):
        decide(approval, by=approver, edited_arguments={"symbol": "BTC", "quantity": 21})

    assert denied.value.details == {"rule": "desk/1"}
    order = {"symbol": "BTC", "quantity": 20}
    assert decide(approval, by=approver, edited_arguments=order).tool_call.arguments == order


def test_what_is_rejected_is_not_edited(session):
    approval = asking.approval(asking.run(session))

    with pytest.raises(ValidationFailed):
        decide(approval, approved=False, edited_arguments={"symbol": "ETH"})


def test_call_that_is_not_what_was_asked_about_is_not_approved(session):
    approval = asking.approval(asking.run(session))
    approval.tool_call.arguments = {"symbol": "ETH", "quantity": 100}
    approval.tool_call.save()

    with pytest.raises(ApprovalStale) as refused:
        decide(approval)

    assert refused.value.details == {"why": "changed"}


# Whether it still holds


def test_approval_is_asked_again_when_its_inputs_moved(session):
    run = asking.run(session)
    old = asking.approval(run, evidence=PRICE, freshness=(GUARD,), seconds=60)
    asking.waiting(run)

    with pytest.raises(ApprovalStale) as refused:
        decide(old, evidence=MOVED)

    new = Approval.objects.get(state="pending")
    old.refresh_from_db()
    run.refresh_from_db()
    assert refused.value.details == {
        "why": "moved",
        "moved": [{"topic": "book.BTC", "path": "price", "then": 100, "now": 103, "why": "moved"}],
        "approval": str(new.pk),
    }
    assert (old.state, run.state, new.tool_call_id) == ("cancelled", "waiting", old.tool_call_id)
    assert (new.replaces, new.evidence, new.digest) == (old, MOVED, old.digest)
    assert new.expires_at - new.requested_at == timedelta(seconds=60)
    assert factories.events(session)[-2:] == ["approval.cancelled", "approval.requested"]
    assert decide(new, evidence=MOVED).approval.state == "approved"


def test_rejecting_needs_no_fresh_look(session):
    approval = asking.approval(asking.run(session), evidence=PRICE, freshness=(GUARD,))

    assert decide(approval, approved=False).approval.state == "rejected"


def test_approving_needs_to_see_what_it_rests_on(session):
    approval = asking.approval(asking.run(session), evidence=PRICE, freshness=(GUARD,))

    with pytest.raises(ServiceUnavailable):
        decide(approval)

    assert decide(approval, evidence=PRICE).approval.state == "approved"


def test_nothing_is_approved_for_a_requester_that_is_gone(session):
    run = asking.run(session)
    approval = asking.approval(run)
    Agent.objects.update(is_active=False)

    with pytest.raises(ApprovalStale) as refused:
        decide(approval)

    assert refused.value.details == {"why": "requester", "moved": []}
    assert decide(approval, approved=False).approval.state == "rejected"


def test_nothing_is_approved_while_the_agent_is_lost_from_its_session(session):
    run = asking.run(session)
    approval = asking.approval(run)
    Component.objects.filter(session=session).delete()
    Component.objects.create(session=session, name="trader", role="agent", state="lost")

    with pytest.raises(ApprovalStale):
        decide(approval)

    Component.objects.update(state="running")
    assert decide(approval).approval.state == "approved"


# Clocks


def test_clock_that_stops_stands_while_the_session_is_paused(session):
    run = asking.run(session)
    stopping = asking.approval(run, seconds=60, stops_clock=True)
    running = asking.approval(run, seconds=60)
    begun = stopping.requested_at

    with travel(begun + timedelta(seconds=20), tick=False):
        lifecycle.pause(principal=OPERATOR, session=session)
    with travel(begun + timedelta(seconds=200), tick=False):
        assert approvals.expire_due() == 1
        lifecycle.start(principal=OPERATOR, session=session)
    stopping.refresh_from_db()
    running.refresh_from_db()

    assert (stopping.state, running.state) == ("pending", "expired")
    assert stopping.expires_at == begun + timedelta(seconds=240)
    assert stopping.clock_stopped_at is None


def test_clock_of_what_is_asked_while_paused_stands_from_the_beginning(session):
    run = asking.run(session)
    lifecycle.pause(principal=OPERATOR, session=session)
    run.refresh_from_db()

    approval = asking.approval(run, stops_clock=True)

    assert approval.clock_stopped_at == approval.requested_at


def test_decision_is_taken_while_the_clock_stands(session):
    approval = asking.approval(asking.run(session), seconds=60, stops_clock=True)
    lifecycle.pause(principal=OPERATOR, session=session)

    with travel(approval.expires_at + timedelta(seconds=5), tick=False):
        assert decide(approval).approval.state == "approved"


# Claims and rules


def test_claim_says_who_looks_and_binds_nobody(session):
    approval = asking.approval(asking.run(session))
    ana = factories.member(session.team, label="ana")

    approvals.claim(principal=ana, approval=approval)

    approval.refresh_from_db()
    assert approval.claimed_by == "user:ana"
    assert factories.told(session)[-1][1]["by"] == "user:ana"
    approvals.claim(principal=ana, approval=approval, release=True)
    assert decide(approval).approval.claimed_by == ""
    with pytest.raises(ApprovalAlreadyDecided):
        approvals.claim(principal=ana, approval=approval)


def test_decision_may_become_a_rule(session):
    approval = asking.approval(asking.run(session))

    grant = decide(approval, remember=Remember(scope="session")).grant

    assert grant is not None
    assert (grant.verdict, grant.session, grant.approval) == ("auto", session, approval)
    assert AuditEntry.objects.get(command="approval.decide").detail["grant"] == str(grant.pk)


# Reading


def test_waiting_sessions_and_the_urgent_are_found(session):
    run = asking.run(session)
    urgent, calm = asking.approval(run, seconds=30), asking.approval(run, seconds=600)
    quiet = factories.session()

    views = sessions.views([session, quiet], now=timezone.now())

    assert [one.conditions for one in views] == [[Condition.WAITING], []]
    assert list(reading.of_session(session)) == [urgent, calm]
    assert list(reading.expiring(reading.readable(OPERATOR), seconds=60)) == [urgent]
    assert reading.pending_count() == 2
    assert reading.read(OPERATOR, str(urgent.pk)) == urgent


def test_precedents_are_the_last_decisions_on_the_same(session):
    run = asking.run(session)
    decided = [asking.approval(run) for _ in range(6)]
    for one in decided:
        decide(one, approved=False)
    other = asking.approval(run, call=asking.asked(run, asking.Asking(tool="orders.cancel")))
    decide(other)

    found = reading.precedents(asking.approval(run))

    assert found == decided[:0:-1]
