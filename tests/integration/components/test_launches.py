from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from components.core.errors import ProgramNotFound
from components.core.launching import Exit, Restart, State
from components.core.programs import Draft
from components.models import Component, Credential, Launch, Program
from components.services import launches, processes, programs
from components.services.launches import Held
from components.services.registry import Expected
from sessions.models import Session
from sessions.services import creation, lifecycle
from streaming.models import Lease
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

AWAY = 60.0


def program(name: str = "feed", **fields) -> Program:
    draft = Draft(name=name, argv=("feed", "--fast"), environment={"A": "b"}, **fields)
    return programs.define(principal=OPERATOR, draft=draft).program


def started(*, required: bool = True, **fields) -> Session:
    """A session with a component that has a program, of which the start was asked."""
    program(**fields)
    session = factories.session(
        expected=[Expected(name="prices", required=required, program="feed")]
    )
    lifecycle.start(principal=OPERATOR, session=session)
    return session


def taken(lease: Lease | None = None, host: str = "here") -> Held:
    """The one launch that there is, taken by the launcher of this lease."""
    lease = lease or factories.lease()
    launches.take(lease_id=lease.pk, host=host, patience_seconds=AWAY)
    (one,) = launches.held(lease_id=lease.pk)
    return one


def again(held: Held) -> Held:
    """The same launch as it stands now."""
    lease_id = Launch.objects.get(pk=held.id).lease_id
    assert lease_id is not None
    (one,) = launches.held(lease_id=lease_id)
    return one


def running(**fields) -> Held:
    """A launch of which the process runs."""
    started(**fields)
    held = taken()
    processes.begin(held=held)
    processes.run(held=held, pid=4711)
    return again(held)


def launch() -> Launch:
    return Launch.objects.get()


def exits(session: Session) -> list[dict[str, Any]]:
    said = [data for type_, data in factories.told(session) if type_ == "component.exited"]
    return [{k: v for k, v in one.items() if k not in {"component_id", "name"}} for one in said]


# Wanting


def test_a_start_wants_the_programs_of_its_components():
    session = started()

    row = launch()
    assert (row.component.name, str(row.program)) == ("prices", "feed")
    assert (row.state, row.is_wanted, row.activation, row.served) == ("waiting", True, 1, 0)
    assert session.components.count() == 1


def test_a_component_without_a_program_is_nobodys_to_launch():
    session = factories.session(expected=[Expected(name="feed", required=False)])

    lifecycle.start(principal=OPERATOR, session=session)

    assert not Launch.objects.exists()


def test_a_start_after_a_stop_wants_a_fresh_process_and_one_after_a_pause_does_not():
    session = started(required=False)
    lifecycle.pause(principal=OPERATOR, session=session)
    launches.unwant()
    lifecycle.start(principal=OPERATOR, session=session)
    paused = launch()

    lifecycle.stop(principal=OPERATOR, session=session)
    lifecycle.start(principal=OPERATOR, session=session)

    assert (paused.is_wanted, paused.activation) == (True, 1)
    assert (launch().is_wanted, launch().activation) == (True, 2)


@pytest.mark.parametrize("verb", ["stop", "end", "complete", "delete"])
def test_a_session_that_lets_go_wants_no_program(verb: str):
    session = started()

    getattr(lifecycle, verb)(principal=OPERATOR, session=session)

    assert launches.unwant() == 1
    assert launches.unwant() == 0
    assert launch().is_wanted is False


def test_a_program_that_the_team_may_not_use_is_not_attached():
    programs.define(
        principal=OPERATOR, draft=Draft(name="x", argv=("x",)), team=factories.team("theirs")
    )
    factories.team("default")
    session = factories.session(team="default")

    with pytest.raises(ProgramNotFound):
        creation.attach(
            principal=OPERATOR, session=session, expected=[Expected(name="a", program="x")]
        )

    assert not session.components.exists()


def test_an_attach_that_says_nothing_of_a_program_leaves_it():
    row = program()
    session = factories.session(expected=[Expected(name="a", program=str(row.pk))])

    creation.attach(principal=OPERATOR, session=session, expected=[Expected(name="a")])

    assert Component.objects.get(name="a").program == row


# Taking


def test_one_launcher_takes_a_launch():
    started()
    one, other = factories.lease(), factories.lease()

    first = launches.take(lease_id=one.pk, host="here", patience_seconds=AWAY)
    second = launches.take(lease_id=other.pk, host="here", patience_seconds=AWAY)

    assert (first, second) == (1, 0)
    (held,) = launches.held(lease_id=one.pk)
    assert (held.state, held.is_wanted, held.is_fresh, held.fence) == (
        State.WAITING,
        True,
        False,
        1,
    )
    assert held.topic == "logs.prices"
    assert launches.held(lease_id=other.pk) == []


def test_a_launch_of_a_dead_launcher_is_taken_by_another_of_the_same_host():
    held = running()
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    elsewhere = factories.lease()
    assert launches.take(lease_id=elsewhere.pk, host="there", patience_seconds=AWAY) == 0
    adopted = taken()

    assert (adopted.fence, adopted.pid, adopted.state) == (held.fence + 1, 4711, State.RUNNING)


def test_another_host_takes_it_when_the_process_cannot_live_any_more():
    running(stop_grace_seconds=5)
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=AWAY + 6))

    assert taken(host="there").state is State.RUNNING


def test_another_host_takes_what_has_no_process_at_once():
    started()
    taken(host="there")
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert taken(host="here").fence == 2


def test_who_lost_a_launch_changes_nothing():
    held = running()
    Launch.objects.update(fence=held.fence + 1)
    before = Launch.objects.values().get()

    assert processes.begin(held=held) is None
    assert processes.run(held=held, pid=1) is False
    assert processes.stop(held=held) is False
    assert processes.end(held=held, ended=Exit(0)) is False
    assert processes.rest(held=held) is False
    assert Launch.objects.values().get() == before


# Running


def test_a_process_begins_with_a_token_of_its_component():
    started()
    held = taken()

    order = processes.begin(held=held)
    processes.run(held=held, pid=4711)

    row = launch()
    assert order is not None
    assert (order.attempt, order.argv, order.environment) == (1, ("feed", "--fast"), {"A": "b"})
    assert (row.state, row.pid, row.attempt, row.served) == ("running", 4711, 1, 1)
    assert row.token is not None
    assert str(row.token.component_id) == held.component_id
    assert order.token.split("_")[1] == row.token.prefix
    types = factories.events(Session.objects.get())
    assert types[-2:] == ["credential.issued", "component.launched"]


def test_nothing_begins_that_nobody_wants():
    session = started()
    held = taken()
    lifecycle.stop(principal=OPERATOR, session=session)

    assert processes.begin(held=held) is None
    assert not Credential.objects.exists()
    processes.rest(held=held)
    assert (launch().state, launch().lease) == ("stopped", None)


def test_a_process_that_fails_is_tried_again_after_a_pause():
    held = running(backoff_seconds=10.0)
    session = Session.objects.get()

    processes.end(held=held, ended=Exit(3, seconds=0.5))

    row = launch()
    assert (row.state, row.restarts, row.exit_code, row.pid) == ("waiting", 1, 3, None)
    assert row.next_at is not None
    assert 4 < (row.next_at - timezone.now()).total_seconds() <= 10
    assert Credential.objects.get().revoked_at is not None
    assert exits(session) == [
        {
            "attempt": 1,
            "exit_code": 3,
            "reason": "It exited 3.",
            "next": "restart",
            "restarts": 1,
        }
    ]


def test_a_process_that_fails_too_often_fails_its_component_and_its_session():
    session = started(restart_limit=1, required=False)
    Component.objects.update(required=True)
    held = taken()
    for _ in range(2):
        processes.begin(held=held)
        processes.run(held=held, pid=1)
        processes.end(held=held, ended=Exit(-11))

    lifecycle.settle(session_id=session.pk)

    row, component = launch(), Component.objects.get()
    session.refresh_from_db()
    assert (row.state, row.is_wanted, row.lease) == ("failed", False, None)
    assert (component.state, component.error) == ("failed", "It ended by signal 11.")
    assert session.error is not None
    assert (session.state, session.error["code"]) == ("failed", "COMPONENT_LOST")
    assert [one["next"] for one in exits(session)] == ["restart", "failed"]


def test_a_start_tries_what_was_given_up_again():
    session = started(restart=Restart.NEVER, required=False)
    held = taken()
    processes.begin(held=held)
    processes.end(held=held, ended=Exit(127, message="No such file.", is_hopeless=True))
    lifecycle.pause(principal=OPERATOR, session=session)

    lifecycle.start(principal=OPERATOR, session=session)

    row = launch()
    assert (row.state, row.is_wanted, row.restarts, row.error) == ("waiting", True, 0, "")


def test_a_component_that_was_stopped_fails_when_its_program_cannot_start():
    session = started(required=False)
    lifecycle.stop(principal=OPERATOR, session=session)
    lifecycle.start(principal=OPERATOR, session=session)
    held = taken()
    processes.begin(held=held)

    processes.end(held=held, ended=Exit(127, message="No such file.", is_hopeless=True))

    assert factories.states(session) == {"prices": "failed"}


def test_a_process_whose_work_is_done_finishes_its_component():
    held = running()

    processes.end(held=held, ended=Exit(0, seconds=5))

    row = launch()
    assert (row.state, row.is_wanted, row.lease) == ("stopped", False, None)
    assert Component.objects.get().state == "stopped"


def test_a_process_that_nobody_wants_is_not_missed():
    held = running(required=False)
    session = Session.objects.get()
    lifecycle.stop(principal=OPERATOR, session=session)
    processes.stop(held=held)

    processes.end(held=held, ended=Exit(-9))

    assert (launch().state, launch().restarts) == ("stopped", 0)
    assert factories.states(session) == {"prices": "stopped"}
    assert [one["next"] for one in exits(session)] == ["none"]


def test_a_session_that_was_started_again_gets_a_fresh_process_at_once():
    held = running(required=False, restart=Restart.NEVER)
    session = Session.objects.get()
    lifecycle.stop(principal=OPERATOR, session=session)
    lifecycle.start(principal=OPERATOR, session=session)
    assert again(held).is_fresh is False

    processes.end(held=held, ended=Exit(0))

    row = launch()
    assert (row.state, row.next_at, row.restarts, row.is_wanted) == ("waiting", None, 0, True)


def test_a_program_that_was_removed_is_wanted_no_longer():
    held = running()
    programs.remove(principal=OPERATOR, program=Program.objects.get().pk)

    assert again(held).is_wanted is False
    processes.end(held=held, ended=Exit(-15))
    assert launch().state == "stopped"
