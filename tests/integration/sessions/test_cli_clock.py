"""The clock of a historical session on the command line."""

import pytest

from sessions.core.lifecycle import Mode, State
from sessions.models import Replay
from tests import archive, factories
from tests.archive import DAY_MS, trade

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

TRADES = "trades.BTCUSDT"


@pytest.fixture(autouse=True)
def dataset(tmp_path, settings):
    archive.write(tmp_path, TRADES, [trade(i, DAY_MS + i) for i in range(1, 10)])
    settings.DATASETS = {"data": tmp_path}


def historical(state, **source):
    config = {"source": {"dataset": "data", **source}}
    return factories.session_in(state, mode=Mode.HISTORICAL, config=config, key="replay")


@pytest.mark.parametrize(
    ("words", "state", "said"),
    [
        (["clock", "replay"], State.CREATED, "○ created  replay  n 0  not begun  speed 2"),
        (
            ["seek", "replay", "2024-08-08T00:00:00.004Z"],
            State.PAUSED,
            "‖ paused  replay  n 0  not begun  speed 2  to be set to 2024-08-08T00:00:00.004Z",
        ),
        (
            ["step", "replay", "3"],
            State.PAUSED,
            "▶ running  replay  n 0  not begun  speed 2  3 ticks to go",
        ),
        (
            ["speed", "replay", "0"],
            State.RUNNING,
            "▶ running  replay  n 0  not begun  no speed limit",
        ),
        (
            ["restart", "replay", "--from", "2024-08-08"],
            State.STOPPED,
            "▶ running  replay  was stopped",
        ),
    ],
    ids=["clock", "seek", "step", "speed", "restart"],
)
def test_an_order_is_told_in_one_line(anywhere, words, state, said):
    historical(state, speed=2)

    told = anywhere("session", *words)

    assert (told.code, told.out, told.err) == (0, f"{said}\n", "")


def test_an_order_is_a_document(anywhere):
    historical(State.PAUSED)

    said = anywhere("session", "seek", "replay", str(DAY_MS + 5), "--json").document

    assert said["schema"] == "aegis.session.seek/1"
    assert (said["data"]["seek_to"], said["data"]["state"]) == (DAY_MS + 5, "paused")


def test_a_clock_is_shown_where_it_was_saved(anywhere):
    made = historical(State.PAUSED)
    Replay.objects.filter(session=made).update(clock=DAY_MS + 7, n=7)

    assert "n 7  2024-08-08T00:00:00.007Z" in anywhere("session", "clock", "replay").out


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["step", "replay"], 5, "INVALID_STATE"),
        (["seek", "replay", "noon"], 2, "VALIDATION_ERROR"),
        (["speed", "replay", "0.1"], 2, "VALIDATION_ERROR"),
        (["restart", "nobody"], 3, "SESSION_NOT_FOUND"),
    ],
)
def test_what_cannot_be_is_told_with_its_exit_code(anywhere, words, code, error):
    historical(State.RUNNING)

    told = anywhere("session", *words)

    assert (told.code, told.out) == (code, "")
    assert told.err.startswith(f"error: {error}: ")


def test_a_range_may_stay_as_it_is(anywhere):
    made = historical(State.RUNNING, **{"from": DAY_MS + 1, "to": DAY_MS + 5})

    anywhere("session", "restart", "replay", "--to", "0")

    clock = Replay.objects.get(session=made)
    assert (clock.range_from, clock.range_to) == (DAY_MS + 1, 2**53 - 1)
