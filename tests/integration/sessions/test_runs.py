"""Letting runs in, cancelling them, and letting them go on."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from aegis_project.kit.errors import InvalidState
from sessions.core import run_log
from sessions.core.conversation import Admission, Role
from sessions.core.errors import BudgetExceeded, RunNotFound
from sessions.core.lifecycle import State
from sessions.core.run_log import End, Start, Usage
from sessions.core.runs import Waiting
from sessions.models import Budget, Message, Run, Session
from sessions.selectors import budgets
from sessions.services import messages, runs, working
from sessions.services import run_log as logs
from tests import factories
from tests.factories import OPERATOR
from tests.integration.sessions import working_help as help_
from tests.integration.sessions.working_help import text

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_is_let_in_and_told():
    session = help_.session()

    run = help_.admitted(session, task="t-1")

    assert (run.place, run.state, run.requested_by) == (1, "queued", "user:operator")
    assert factories.told(session)[-1] == (
        "run.queued",
        {
            "run": str(run.pk),
            "place": 1,
            "agent": "scribe",
            "message": None,
            "task": "t-1",
            "trigger": None,
        },
    )
    assert help_.log(run) == []


def test_a_created_session_is_started_by_its_first_run():
    session = help_.session(State.CREATED)

    help_.admitted(session)

    session.refresh_from_db()
    assert session.state == "running"
    assert factories.events(session)[-2:] == ["session.activated", "run.queued"]


@pytest.mark.parametrize("state", [State.STOPPED, State.FAILED, State.COMPLETED, State.ENDED])
def test_a_session_that_is_over_takes_no_run(state):
    with pytest.raises(InvalidState):
        help_.admitted(help_.session(state))


def test_a_paused_session_keeps_a_run_in_its_queue():
    session = help_.session(State.PAUSED)

    run = help_.admitted(session)

    assert run.state == "queued"
    assert working.claim(lease_id=factories.lease().pk, limit=5) == []


def test_one_run_of_an_agent_works_at_a_time():
    session, lease = help_.session(), factories.lease()
    first, second = help_.admitted(session), help_.admitted(session)
    other = help_.admitted(session, agent=help_.agent("other"))

    taken = [one.run_id for one in working.claim(lease_id=lease.pk, limit=5)]

    assert taken == [first.pk, other.pk]
    runs.cancel(principal=OPERATOR, run=first)
    assert [one.run_id for one in working.claim(lease_id=lease.pk, limit=5)] == [second.pk]


def test_reject_refuses_a_second_run_and_leaves_the_first():
    session = help_.session()
    first = help_.admitted(session)

    with pytest.raises(InvalidState):
        help_.admitted(session, admission=Admission.REJECT)

    assert list(Run.objects.values_list("pk", "state")) == [(first.pk, "queued")]


def test_interrupt_cancels_and_keeps_what_was_said():
    session = help_.session()
    first = help_.admitted(session, message=say(session, "one"))
    held = help_.claimed()
    logs.write(first.pk, fence=held.fence, entries=[text("So "), text("far")])

    second = help_.admitted(session, message=say(session, "two"), admission=Admission.INTERRUPT)

    assert (help_.state(first), help_.state(second)) == ("cancelled", "queued")
    assert list(Message.objects.of_session(session.pk).values_list("role", "content")) == [
        ("user", "one"),
        ("user", "two"),
        ("assistant", "So far"),
    ]
    with pytest.raises(logs.Superseded):
        logs.write(first.pk, fence=held.fence, entries=[text("late")])


def test_rollback_takes_back_what_was_asked_and_said():
    session = help_.session()
    first = help_.admitted(session, message=say(session, "one"))
    held = help_.claimed()
    logs.write(first.pk, fence=held.fence, entries=[text("So far")])

    help_.admitted(session, message=say(session, "two"), admission=Admission.ROLLBACK)

    chosen = Message.objects.of_session(session.pk)
    assert list(chosen.values_list("content", "parent")) == [("two", None)]


def test_session_says_what_becomes_of_runs_that_meet():
    session = help_.session(config={"admission": "reject"})
    help_.admitted(session)

    with pytest.raises(InvalidState):
        help_.admitted(session)


def test_cancel_is_told_once_and_ends_the_log():
    session = help_.session()
    run = help_.admitted(session)

    runs.cancel(principal=OPERATOR, run=run, reason="enough")
    runs.cancel(principal=OPERATOR, run=run)

    end = End(state="cancelled", message=None, finish_reason="cancelled", usage=Usage())
    assert help_.log(run) == [end]
    assert factories.events(session)[-3:] == ["run.queued", "run.cancelled", "stream.ended"]


def test_run_of_another_team_is_not_found():
    run = help_.admitted(help_.session())
    stranger = factories.member(factories.team("elsewhere"))

    with pytest.raises(RunNotFound):
        runs.cancel(principal=stranger, run=run)


def test_run_that_waits_for_its_budget_goes_on_when_it_is_raised():
    session = help_.session()
    run = help_.admitted(session, limits={"max_tokens": 10})
    held = help_.claimed()
    working.wait(run_id=run.pk, fence=held.fence, waiting_for=Waiting.BUDGET)

    runs.raise_limits(principal=OPERATOR, run=run, limits={"max_tokens": 20})

    row = Run.objects.get(pk=run.pk)
    assert (row.state, row.waiting_for, row.limits) == ("queued", "", {"max_tokens": 20})
    # Nothing it said is void, so that it is the same attempt.
    assert help_.claimed().attempt == 1
    assert [type(entry) for entry in help_.log(run)] == [Start, *[run_log.Status] * 3]


def say(session: Session, words: str) -> Message:
    row = Session.objects.get(pk=session.pk)
    return messages.append(row, role=Role.USER, content=words, author="user:operator")


@pytest.mark.parametrize("whose", ["session", "user", "team"])
def test_budget_of_many_runs_stops_them_and_lets_them_go_on(whose):
    person = User.objects.create_user("ada")
    session = help_.session(config={"limits": {"max_tokens": 10}} if whose == "session" else {})
    if whose != "session":
        Budget.objects.create(
            **{whose: person if whose == "user" else session.team}, period="day", max_tokens=10
        )
    asking = replace(OPERATOR, user_id=person.pk)
    earlier, run = (help_.admitted(session, principal=asking) for _ in range(2))
    row = Run.objects.select_related("agent", "session").get(pk=run.pk)
    budgets.check(row)
    Run.objects.filter(pk=earlier.pk).update(token_count=10, state="completed")

    with pytest.raises(BudgetExceeded) as refused:
        budgets.check(row)
    held = help_.claimed()
    working.wait(run_id=run.pk, fence=held.fence, waiting_for=Waiting.BUDGET)

    assert refused.value.details["of"] == whose
    assert budgets.held() == [run.pk]
    assert not runs.reconsider(run.pk)
    Run.objects.filter(pk=earlier.pk).update(token_count=9)
    assert runs.reconsider(run.pk)
    assert help_.state(run) == "queued"


def test_budget_of_yesterday_is_no_budget_of_today():
    session = help_.session()
    Budget.objects.create(team=session.team, period="day", max_cost="0.5")
    earlier, run = help_.admitted(session), help_.admitted(session)
    Run.objects.filter(pk=earlier.pk).update(
        cost="0.5", created_at=timezone.now() - timedelta(days=1)
    )

    budgets.check(Run.objects.select_related("agent", "session").get(pk=run.pk))
