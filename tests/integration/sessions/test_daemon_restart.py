"""SESSION_RESTART of seed 000's commands."""

import pytest

from sessions.core.lifecycle import Mode, State
from sessions.models import Replay
from tests import archive, factories
from tests.archive import DAY_MS, trade
from tests.calling import Caller

pytestmark = [pytest.mark.dialects, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def dataset(tmp_path, settings):
    archive.write(tmp_path, "trades.BTCUSDT", [trade(i, DAY_MS + i) for i in range(1, 10)])
    settings.DATASETS = {"data": tmp_path}


def test_a_replay_begins_anew_over_another_range(program: Caller):
    made = factories.session_in(
        State.COMPLETED,
        mode=Mode.HISTORICAL,
        name="replay",
        config={"source": {"dataset": "data"}},
    )

    said = program.command("SESSION_RESTART", {"session_id": "replay", "from": DAY_MS + 3})

    made.refresh_from_db()
    assert (said["status"], said["command"]) == ("ok", "SESSION_RESTART")
    assert said["data"]["session_id"] == str(made.pk)
    assert (said["data"]["previous_state"], said["data"]["current_state"]) == ("stopped", "running")
    assert Replay.objects.get().range_from == DAY_MS + 3
    assert (made.state, made.activation) == ("running", 1)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({}, "Could not restart session: missing required field: session_id"),
        ({"session_id": "nobody"}, "Could not restart session: Session not found"),
        ({"session_id": "new"}, "Could not restart session: Cannot restart while created."),
    ],
)
def test_a_restart_that_cannot_be_says_why(program: Caller, payload, message):
    factories.session(name="new")

    said = program.command("SESSION_RESTART", payload)

    assert (said["status"], said["message"]) == ("error", message)
