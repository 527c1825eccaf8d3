from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from aegis_project.kit.errors import InvalidState, PermissionDenied, ValidationFailed
from sessions.core.errors import SessionNotFound
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import lifecycle
from sessions.services.outcome import Outcome
from streaming.models import AuditEntry
from tests import emptying, factories, tables
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

ERROR = {"code": "BROKEN", "message": "It broke."}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "fail": {"error": ERROR, "reason": "broken"},
    "complete": {"result": {"trades": 3}, "reason": "all done"},
    "end": {"reason": "enough"},
}
# What each move writes, after the moves of components.
EVENTS = {
    State.RUNNING: ["session.activated"],
    State.PAUSED: ["session.suspended"],
    State.STOPPED: ["session.suspended"],
    State.FAILED: ["error.occurred", "session.suspended"],
    State.COMPLETED: ["session.ended"],
    State.ENDED: ["session.ended"],
}
CELLS = [cell for cell in tables.CELLS if cell[0] in tables.LEVER]
MOVES = [cell for cell in CELLS if cell[2] not in {tables.REFUSED, tables.NO_OP}]
NO_OPS = [cell for cell in CELLS if cell[2] == tables.NO_OP]
REFUSALS = [cell for cell in CELLS if cell[2] == tables.REFUSED]


def perform(command: str, session: Session) -> Outcome:
    service: Callable[..., Outcome] = getattr(lifecycle, command)
    return service(principal=OPERATOR, session=session, **ARGUMENTS.get(command, {}))


@pytest.mark.parametrize(("command", "state", "word"), MOVES)
def test_a_command_moves_the_session_and_tells_it(command: str, state: State, word: str):
    session = factories.session_in(state)
    before = factories.events(session)

    outcome = perform(command, session)

    session.refresh_from_db()
    assert (outcome.previous, outcome.session.state) == (state, word)
    assert outcome.is_changed is (state != word)
    assert (session.state, session.version) == (word, outcome.session.version)
    assert factories.events(session)[len(before) :] == EVENTS[State(word)]


@pytest.mark.parametrize(("command", "state", "word"), MOVES)
def test_a_move_counts_one_version(command: str, state: State, word: str):
    session = factories.session_in(state)
    before = Session.objects.get(pk=session.pk).version

    perform(command, session)

    assert Session.objects.get(pk=session.pk).version == before + 1


@pytest.mark.parametrize(("command", "state", "word"), NO_OPS)
def test_a_no_op_succeeds_and_leaves_everything_as_it_was(command: str, state: State, word: str):
    session = factories.session_in(state)
    row = Session.objects.filter(pk=session.pk).values().get()
    before = factories.events(session)

    outcome = perform(command, session)

    assert (outcome.previous, outcome.session.state, outcome.is_changed) == (state, state, False)
    assert Session.objects.filter(pk=session.pk).values().get() == row
    assert factories.events(session) == before


@pytest.mark.parametrize(("command", "state", "word"), REFUSALS)
def test_a_refusal_says_what_would_be_allowed_and_changes_nothing(
    command: str, state: State, word: str
):
    session = factories.session_in(state)
    row = Session.objects.filter(pk=session.pk).values().get()
    before = factories.events(session)

    with pytest.raises(InvalidState) as refusal:
        perform(command, session)

    assert refusal.value.as_dict() == {
        "code": "INVALID_STATE",
        "message": f"Cannot {command} while {state}.",
        "details": {"from": state, "command": command, "allowed": tables.allowed(state)},
    }
    assert Session.objects.filter(pk=session.pk).values().get() == row
    assert factories.events(session) == before


@pytest.mark.parametrize("state", State)
def test_delete_ends_an_open_session_and_hides_any(state: State):
    session = factories.session_in(state)
    before = factories.events(session)

    outcome = lifecycle.delete(principal=OPERATOR, session=session)

    row = Session.objects.get(pk=session.pk)
    is_closed = state in {State.COMPLETED, State.ENDED}
    assert row.state == (state if is_closed else State.ENDED)
    assert (outcome.previous, outcome.session.state) == (state, row.state)
    assert row.deleted_at is not None
    assert factories.events(session)[len(before) :] == ([] if is_closed else ["session.ended"])
    if not is_closed:
        assert row.reason == "deleted"


@pytest.mark.parametrize("command", [*tables.LEVER, "delete"])
def test_a_deleted_session_is_not_found(command: str):
    session = factories.session()
    lifecycle.delete(principal=OPERATOR, session=session)

    with pytest.raises(SessionNotFound):
        perform(command, session)


def test_what_the_events_of_a_life_say():
    session = factories.session(key="life", name="A life")
    perform("start", session)
    perform("pause", session)
    perform("start", session)
    perform("fail", session)
    perform("start", session)
    perform("complete", session)

    described = {"code": "BROKEN", "message": "It broke.", "details": {}}
    assert factories.told(session) == [
        (
            "session.created",
            {
                "key": "life",
                "name": "A life",
                "kind": "stream",
                "mode": "realtime",
                "environment": "development",
            },
        ),
        ("session.activated", {"from": "created", "activation": 1}),
        ("session.suspended", {"state": "paused", "from": "running", "reason": ""}),
        ("session.activated", {"from": "paused", "activation": 1}),
        ("error.occurred", described),
        ("session.suspended", {"state": "failed", "from": "running", "reason": "broken"}),
        ("session.activated", {"from": "failed", "activation": 2}),
        (
            "session.ended",
            {
                "state": "completed",
                "from": "running",
                "reason": "all done",
                "result": {"trades": 3},
            },
        ),
    ]


def test_every_event_names_who_asked():
    session = factories.session()
    perform("start", session)

    assert {event.actor for event in factories.ledger(session)} == {"user:operator"}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({}, {"code": "INTERNAL_ERROR", "message": "", "details": {}}),
        (
            {"code": "X", "message": "m", "details": {"a": 1}},
            {"code": "X", "message": "m", "details": {"a": 1}},
        ),
        (
            {"type": "X", "actor": "me", "session_id": "s", "cause": "c", "event": "e"},
            {
                "code": "INTERNAL_ERROR",
                "message": "",
                "details": {
                    "type": "X",
                    "actor": "me",
                    "session_id": "s",
                    "cause": "c",
                    "event": "e",
                },
            },
        ),
    ],
)
def test_any_error_is_told_with_code_message_and_details(
    error: dict[str, Any], told: dict[str, Any]
):
    session = factories.session()

    lifecycle.fail(principal=OPERATOR, session=session, error=error)

    session.refresh_from_db()
    assert session.error == error
    assert factories.told(session)[1] == ("error.occurred", told)


def test_a_result_or_error_of_a_no_op_does_not_replace_the_first():
    completed = factories.session_in(State.COMPLETED)
    failed = factories.session_in(State.FAILED)
    outcomes = Session.objects.in_bulk([completed.pk, failed.pk])

    lifecycle.complete(principal=OPERATOR, session=completed, result="other")
    lifecycle.fail(principal=OPERATOR, session=failed, error={"code": "OTHER"})

    rows = Session.objects.in_bulk([completed.pk, failed.pk])
    assert [(row.result, row.error) for row in rows.values()] == [
        (row.result, row.error) for row in outcomes.values()
    ]


def test_a_start_forgets_the_error_of_the_failure_it_comes_from():
    session = factories.session()
    perform("fail", session)

    perform("start", session)

    session.refresh_from_db()
    assert session.error is None


def test_activation_counts_starts_and_not_goings_on():
    session = factories.session()
    counts = []
    for command in ("start", "pause", "start", "stop", "start", "start", "fail", "start"):
        perform(command, session)
        session.refresh_from_db()
        counts.append(session.activation)

    assert counts == [1, 1, 1, 1, 2, 2, 2, 3]


def test_times_follow_starts_and_halts():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        noon = timezone.now()
        session = factories.session()
        found = []
        for command in ("start", "pause", "start", "stop", "start", "fail", "stop", "end"):
            clock.shift(60)
            perform(command, session)
            session.refresh_from_db()
            clock.shift(1)
            found.append(
                (
                    command,
                    minutes(session.started_at, noon),
                    minutes(session.stopped_at, noon),
                    session.uptime_seconds(now=timezone.now()),
                )
            )

    assert found == [
        ("start", 1, None, 1),
        ("pause", 1, None, 62),
        ("start", 1, None, 123),
        ("stop", 1, 4, 183),
        ("start", 5, None, 1),
        ("fail", 5, 6, 61),
        ("stop", 5, 7, 122),
        ("end", 5, 8, 183),
    ]


def minutes(moment: Any, since: Any) -> int | None:
    return None if moment is None else (moment - since) // timedelta(minutes=1)


def test_a_session_that_never_started_has_no_uptime():
    session = factories.session()

    perform("end", session)

    session.refresh_from_db()
    assert (session.started_at, session.uptime_seconds(now=timezone.now())) == (None, 0)


@pytest.mark.parametrize("command", ["start", "fail", "complete", "end"])
def test_a_reason_longer_than_its_place_is_refused_and_changes_nothing(command: str):
    session = factories.session()
    given = ARGUMENTS.get(command, {}) | {"reason": "x" * 501}

    with pytest.raises(ValidationFailed):
        getattr(lifecycle, command)(principal=OPERATOR, session=session, **given)

    assert factories.events(session) == ["session.created"]


@pytest.mark.parametrize("command", [*tables.LEVER, "delete"])
def test_a_command_needs_control(command: str):
    session = factories.session(team="default")
    viewer = factories.member(session.team, scopes=["sessions:read", "sessions:write"])
    service = getattr(lifecycle, command)

    with pytest.raises(PermissionDenied) as refusal:
        service(principal=viewer, session=session, **ARGUMENTS.get(command, {}))

    assert refusal.value.details == {"scope": "sessions:control"}


@pytest.mark.parametrize("command", [*tables.LEVER, "delete"])
def test_a_session_of_another_team_is_not_there(command: str):
    session = factories.session()
    stranger = factories.member(factories.team("strangers"))
    service = getattr(lifecycle, command)

    with pytest.raises(SessionNotFound) as refusal:
        service(principal=stranger, session=str(session.pk), **ARGUMENTS.get(command, {}))

    assert refusal.value.as_dict() == {
        "code": "SESSION_NOT_FOUND",
        "message": "There is no such session.",
        "details": {"session": str(session.pk)},
    }


@pytest.mark.parametrize("command", [*tables.LEVER, "delete"])
def test_every_command_leaves_one_audit_entry_whatever_comes_of_it(command: str):
    session = factories.session_in(State.PAUSED)
    principal = OPERATOR.via("rest", request_id="r-1")
    emptying.forget_audit()

    getattr(lifecycle, command)(principal=principal, session=session, **ARGUMENTS.get(command, {}))
    with pytest.raises(SessionNotFound):
        getattr(lifecycle, command)(
            principal=principal, session="nobody", **ARGUMENTS.get(command, {})
        )

    entries = AuditEntry.objects.order_by("pk").values_list(
        "command", "actor", "transport", "request_id", "outcome", "code", "target", "session_id"
    )
    who = (f"session.{command}", "user:operator", "rest", "r-1")
    assert list(entries) == [
        (*who, "ok", "", session.key, session.pk),
        (*who, "refused", "SESSION_NOT_FOUND", "nobody", None),
    ]


def test_the_audit_entry_of_a_move_says_from_where_to_where_and_why():
    session = factories.session_in(State.RUNNING)

    lifecycle.stop(principal=OPERATOR, session=session, reason="lunch")

    entry = AuditEntry.objects.get(command="session.stop")
    assert entry.detail == {"from": "running", "to": "stopped", "reason": "lunch"}
