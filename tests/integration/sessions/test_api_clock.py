"""The clock of a historical session over HTTP."""

from typing import Any

import pytest

from sessions.core.lifecycle import Mode, State
from sessions.models import Replay, Session
from tests import archive, factories
from tests.archive import DAY_MS, trade
from tests.calling import Caller, code

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/sessions"
TRADES = "trades.BTCUSDT"


@pytest.fixture(autouse=True)
def dataset(tmp_path, settings):
    archive.write(tmp_path, TRADES, [trade(i, DAY_MS + i) for i in range(1, 10)])
    settings.DATASETS = {"data": tmp_path}


def historical(state: State = State.RUNNING, **source: Any) -> Session:
    config = {"source": {"dataset": "data", **source}}
    return factories.session_in(state, mode=Mode.HISTORICAL, config=config)


def test_the_clock_is_read(program: Caller):
    session = historical(State.CREATED, speed=2, lockstep=True, **{"from": DAY_MS})

    said = program.get(f"{SESSIONS}/{session.pk}/clock").json()

    assert said.pop("updated_at")
    assert said == {
        "session": str(session.pk),
        "state": "created",
        "clock": None,
        "n": 0,
        "speed": 2.0,
        "achieved": None,
        "loop": False,
        "lockstep": True,
        "range_from": DAY_MS,
        "range_to": None,
        "seek_to": None,
        "steps": None,
        "is_exhausted": False,
        "bad_rows": 0,
        "topics": [TRADES],
    }


@pytest.mark.parametrize(
    ("verb", "body", "state", "status", "shown"),
    [
        ("seek", {"to": DAY_MS + 4}, State.RUNNING, 202, {"seek_to": DAY_MS + 4}),
        ("seek", {"to": "2024-08-08T00:00:00Z"}, State.PAUSED, 202, {"seek_to": DAY_MS}),
        ("step", {"count": 3}, State.PAUSED, 202, {"steps": 3, "state": "running"}),
        ("step", {}, State.PAUSED, 202, {"steps": 1}),
        ("speed", {"speed": 25}, State.STOPPED, 200, {"speed": 25.0}),
    ],
)
def test_an_order_answers_the_clock(
    program: Caller, verb: str, body: Any, state: State, status: int, shown: dict[str, Any]
):
    session = historical(state)

    answer = program.post(f"{SESSIONS}/{session.pk}/{verb}", body)

    assert answer.status_code == status
    said = answer.json()
    assert {name: said[name] for name in shown} == shown


@pytest.mark.parametrize(
    ("verb", "body", "status", "error"),
    [
        ("seek", {}, 400, "VALIDATION_ERROR"),
        ("seek", {"to": -1}, 400, "VALIDATION_ERROR"),
        ("seek", {"to": "noon"}, 400, "VALIDATION_ERROR"),
        ("step", {"count": 0}, 400, "VALIDATION_ERROR"),
        ("step", {}, 400, "INVALID_STATE"),
        ("speed", {"speed": 0.2}, 400, "VALIDATION_ERROR"),
        ("speed", {}, 400, "VALIDATION_ERROR"),
        ("restart", {"from": "x"}, 400, "VALIDATION_ERROR"),
        ("restart", {"form": 1}, 400, "VALIDATION_ERROR"),
    ],
)
def test_what_cannot_be_ordered_is_refused(
    program: Caller, verb: str, body: Any, status: int, error: str
):
    session = historical(State.RUNNING)

    assert code(program.post(f"{SESSIONS}/{session.pk}/{verb}", body)) == (status, error)


def test_a_restart_answers_the_session_and_takes_another_range(program: Caller):
    session = historical(State.PAUSED)

    answer = program.post(f"{SESSIONS}/{session.pk}/restart", {"from": DAY_MS + 3, "to": 0})

    said = answer.json()
    assert (answer.status_code, said["previous_state"], said["state"]) == (200, "paused", "running")
    assert (said["activation"], said["config"]["source"]["from"]) == (2, DAY_MS + 3)
    assert Replay.objects.get().range_from == DAY_MS + 3


def test_a_restart_that_waits_says_so(program: Caller):
    session = historical(State.STOPPED)
    program.post(f"{SESSIONS}/{session.pk}/attach", {"components": ["sink"]})

    answer = program.post(f"{SESSIONS}/{session.pk}/restart", {})

    assert (answer.status_code, answer.json()["conditions"]) == (202, ["starting"])


def test_a_session_of_now_has_no_clock(program: Caller):
    session = factories.session_in(State.RUNNING)

    assert code(program.get(f"{SESSIONS}/{session.pk}/clock")) == (400, "INVALID_STATE")
    assert code(program.get(f"{SESSIONS}/nobody/clock")) == (404, "SESSION_NOT_FOUND")


def test_the_same_order_twice_is_one_order(program: Caller):
    session = historical(State.PAUSED)

    first = program.post(f"{SESSIONS}/{session.pk}/step", {"count": 2}, idempotency_key="one")
    again = program.post(f"{SESSIONS}/{session.pk}/step", {"count": 2}, idempotency_key="one")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
