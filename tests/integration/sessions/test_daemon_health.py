"""HEALTH_CHECK of seed 000's commands."""

from typing import Any

import pytest

from components.services import standing
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.services import lifecycle
from tests import factories
from tests.calling import Caller, caller

pytestmark = [pytest.mark.dialects, pytest.mark.django_db]

EVERY_WAY = [
    ("HEALTH_CHECK", {}),
    ("HEALTH_CHECK", {"component_id": "feed"}),
    ("HEALTH_CHECK_SESSION", {}),
    ("HEALTH_CHECK_COMPONENT", {}),
]


def test_health_counts_what_is_there(program: Caller):
    well = program.command("HEALTH_CHECK")["data"]
    factories.session_in(State.RUNNING)
    factories.session_in(State.ENDED)
    factories.session_in(State.FAILED)

    ill = program.command("HEALTH_CHECK")["data"]

    assert (well["status"], well["sessions"]["total"]) == ("healthy", 0)
    assert ill["status"] == "degraded"
    assert ill["sessions"] == {
        "total": 3,
        "initialized": 0,
        "running": 1,
        "stopped": 1,
        "error": 1,
    }


@pytest.mark.parametrize("word", ["HEALTH_CHECK", "HEALTH_CHECK_SESSION"])
@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.CREATED, "inactive"),
        (State.RUNNING, "healthy"),
        (State.PAUSED, "inactive"),
        (State.STOPPED, "inactive"),
        (State.FAILED, "degraded"),
        (State.ENDED, "inactive"),
    ],
)
def test_a_session_has_a_health(program: Caller, word: str, state: State, status: str):
    made = factories.session_in(state, name="demo")

    said = program.command(word, {"session_id": "demo"})["data"]

    assert said.keys() == {"status", "session", "components", "data_stream"}
    assert (said["status"], said["session"]["id"]) == (status, str(made.pk))
    assert (said["session"]["aegis_state"], said["components"]) == (state.value, [])
    assert said["data_stream"] == {"topic_count": 0}


@pytest.mark.parametrize("word", ["HEALTH_CHECK", "HEALTH_CHECK_COMPONENT"])
def test_a_component_has_a_health(program: Caller, word: str):
    made = factories.session(expected=[Expected(name="late"), Expected(name="feed")])
    feed = factories.readied(made, "feed")
    payload = {"session_id": str(made.pk), "component_id": "feed"}

    well = program.command(word, payload)["data"]
    standing.lose(component_id=str(feed.pk), fence=feed.fence, reason="silence")
    ill = program.command(word, payload)["data"]
    absent = program.command(word, payload | {"component_id": "late"})["data"]

    assert well == {
        "status": "healthy",
        "session_id": str(made.pk),
        "id": str(feed.pk),
        "name": "feed",
        "state": "pending",
        "uptime_seconds": 0,
        "last_heartbeat": well["last_heartbeat"],
        "secs_since_heartbeat": well["secs_since_heartbeat"],
        "heartbeat_ok": True,
        "connection_active": True,
        "aegis_state": "ready",
    }
    assert [ill[name] for name in ("status", "heartbeat_ok", "connection_active")] == [
        "degraded",
        False,
        False,
    ]
    assert (absent["status"], absent["secs_since_heartbeat"]) == ("inactive", None)


def test_a_session_that_starts_is_healthy_until_somebody_is_lost(program: Caller):
    made = factories.session(expected=[Expected(name="feed"), Expected(name="late")])
    lifecycle.start(principal=factories.OPERATOR, session=made)
    feed = factories.readied(made, "feed")
    payload = {"session_id": str(made.pk)}

    before = program.command("HEALTH_CHECK", payload)["data"]
    standing.lose(component_id=str(feed.pk), fence=feed.fence, reason="silence")
    after = program.command("HEALTH_CHECK", payload)["data"]

    assert (before["status"], after["status"]) == ("healthy", "degraded")
    assert [one["heartbeat_ok"] for one in after["components"]] == [False, True]


@pytest.mark.parametrize(("word", "more"), EVERY_WAY)
def test_the_health_of_another_teams_session_is_not_told(word: str, more: dict[str, Any]):
    made = factories.session(expected=[Expected(name="feed")])

    said = caller(team="strangers").command(word, {"session_id": str(made.pk), **more})

    assert (said["status"], said["message"]) == ("error", "Session not found")


@pytest.mark.parametrize(("word", "more"), EVERY_WAY)
def test_health_needs_its_scope(word: str, more: dict[str, Any]):
    made = factories.session(expected=[Expected(name="feed")])

    said = caller(["audit:read"]).command(word, {"session_id": str(made.pk), **more})

    assert said["status"] == "error"
    assert said["message"].startswith("This needs the scope ")


@pytest.mark.parametrize("word", ["HEALTH_CHECK_SESSION", "HEALTH_CHECK_COMPONENT"])
def test_whose_health_must_be_said(program: Caller, word: str):
    said = program.command(word)

    assert said["message"] == "missing required field: session_id"
    assert said["data"] == {"session_id": ""}
