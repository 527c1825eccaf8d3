"""One component leaves its session, or begins anew."""

import pytest

from aegis_project.kit.errors import InvalidState
from components.core.asks import Level
from components.core.errors import ComponentNotFound, ProgramMissing
from components.core.launching import Exit
from components.core.launching import State as Process
from components.core.programs import Draft
from components.models import Component, Launch
from components.services import launches, processes, programs
from components.services.launches import Held
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import lifecycle, participants
from streaming.models import AuditEntry
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


def launched(name: str = "prices") -> tuple[Session, Held]:
    """A session whose start wants a program, of which the process runs."""
    programs.define(principal=OPERATOR, draft=Draft(name="feed", argv=("feed",)))
    session = factories.session(expected=[Expected(name=name, program="feed")])
    lifecycle.start(principal=OPERATOR, session=session)
    launches.take(lease_id=factories.lease().pk, host="here", patience_seconds=60)
    held = kept()
    processes.begin(held=held)
    processes.run(held=held, pid=4711)
    return session, kept()


def kept() -> Held:
    lease_id = Launch.objects.get().lease_id
    assert lease_id is not None
    (one,) = launches.held(lease_id=lease_id)
    return one


def detach(session: Session, component: str = "prices") -> participants.Moved:
    return participants.detach(principal=OPERATOR, session=session, component=component)


def restart(session: Session, component: str = "prices") -> participants.Moved:
    return participants.restart(principal=OPERATOR, session=session, component=component)


def test_who_never_came_is_forgotten():
    session = factories.session(expected=[Expected(name="prices"), Expected(name="sink")])

    moved = detach(session)

    session.refresh_from_db()
    assert moved.is_forgotten
    assert factories.states(session) == {"sink": "pending"}
    assert session.component_count == 1
    assert factories.told(session)[-1] == (
        "component.detached",
        {"component_id": str(moved.component.pk), "name": "prices", "is_forgotten": True},
    )


def test_who_is_connected_is_released_and_nobody_waits_for_it():
    session = factories.session(expected=[Expected(name="prices")])
    factories.readied(session, "prices")
    lifecycle.start(principal=OPERATOR, session=session)

    moved = detach(session)

    assert (moved.is_forgotten, moved.component.required) == (False, False)
    assert factories.states(session) == {"prices": "stopped"}
    assert factories.events(session)[-2:] == ["component.stopped", "component.detached"]
    assert Session.objects.get(pk=session.pk).state == State.RUNNING
    assert detach(session).is_forgotten


def test_who_is_brought_back_is_not_told_to_leave_again():
    session = factories.session(expected=[Expected(name="prices")])
    factories.readied(session, "prices")

    left = detach(session).component.error
    factories.registered(session, name="prices")

    assert (left, Component.objects.get().error) == ("detached", "")


@pytest.mark.django_db(transaction=True)
def test_a_start_that_waited_for_it_goes_on():
    session = factories.session(expected=[Expected(name="prices")])
    lifecycle.start(principal=OPERATOR, session=session)

    detach(session)

    assert Session.objects.get(pk=session.pk).state == State.RUNNING


def test_its_program_ends_and_is_not_started_again():
    session, held = launched()

    moved = detach(session)

    assert (moved.is_forgotten, moved.component.program) == (False, None)
    assert not kept().is_wanted
    processes.end(held=held, ended=Exit(code=-15))
    lifecycle.stop(principal=OPERATOR, session=session)
    lifecycle.start(principal=OPERATOR, session=session)
    assert Launch.objects.get().state == Process.STOPPED


def test_nobody_leaves_a_session_that_is_over():
    session = factories.session_in(State.ENDED, expected=[Expected(name="prices")])

    with pytest.raises(InvalidState, match="Cannot detach while ended"):
        detach(session)
    assert Component.objects.count() == 1


@pytest.mark.parametrize("act", [detach, restart])
def test_nobody_else_is_found(act):
    session = factories.session_in(State.RUNNING)

    with pytest.raises(ComponentNotFound):
        act(session)


def test_a_program_begins_anew_at_once():
    session, held = launched()
    assert kept().is_fresh

    restart(session)

    assert not kept().is_fresh
    type_, data = factories.told(session)[-1]
    assert (type_, data["name"], data["program"]) == ("component.relaunched", "prices", "feed")
    processes.end(held=held, ended=Exit(code=0))
    waiting = Launch.objects.get()
    assert (waiting.state, waiting.next_at, waiting.restarts) == (Process.WAITING, None, 0)
    assert processes.begin(held=kept()) is not None


def test_a_program_that_was_given_up_begins_anew():
    session, held = launched()
    processes.end(held=held, ended=Exit(code=None, is_hopeless=True, message="No such file."))
    assert Launch.objects.get().state == Process.FAILED

    restart(session)

    row = Launch.objects.get()
    assert (row.state, row.is_wanted, row.error) == (Process.WAITING, True, "")


def test_what_no_launcher_runs_does_not_begin_anew():
    session = factories.session_in(State.RUNNING, expected=[Expected(name="prices")])

    with pytest.raises(ProgramMissing):
        restart(session)


def test_no_program_begins_where_none_is_wanted():
    session, _ = launched()
    lifecycle.stop(principal=OPERATOR, session=session)

    with pytest.raises(InvalidState, match="Programs do not run while it is created"):
        restart(session)


def test_what_is_asked_of_a_component_stands_in_the_audit():
    session = factories.session(expected=[Expected(name="prices")])
    row = factories.readied(session, "prices")
    Component.objects.filter(pk=row.pk).update(proto={"v": 1})

    participants.ping(principal=OPERATOR, session=session, component="prices")
    level = participants.log_level(
        principal=OPERATOR, session=session, component="prices", level=Level.DEBUG
    )
    Component.objects.filter(pk=row.pk).update(state="lost")
    with pytest.raises(InvalidState, match="nobody to ask"):
        participants.log_level(
            principal=OPERATOR, session=session, component="prices", level=Level.INFO
        )

    assert level.ask.arguments == {"level": "DEBUG"}
    kept = AuditEntry.objects.filter(command__startswith="component.").order_by("pk")
    assert [(one.command, one.outcome, one.detail.get("level")) for one in kept][-3:] == [
        ("component.ping", "ok", None),
        ("component.log-level", "ok", "DEBUG"),
        ("component.log-level", "refused", None),
    ]
