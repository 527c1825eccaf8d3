from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sessions.core import conditions
from sessions.core.conditions import Condition, Participant, Situation
from sessions.core.lifecycle import Mode, State

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FEED = Participant(name="feed", state="running", required=True)
SINK = Participant(name="sink", state="running", required=False)
CALM = Situation(
    state=State.RUNNING,
    mode=Mode.REALTIME,
    is_starting=False,
    participants=(FEED, SINK),
    last_activity_at=NOW - timedelta(hours=1),
)


def test_nothing_holds_of_a_session_that_runs_in_full():
    assert conditions.derive(CALM, now=NOW) == []


@pytest.mark.parametrize("state", ["lost", "failed"])
@pytest.mark.parametrize("participant", [FEED, SINK])
def test_a_running_session_is_degraded_without_a_participant(participant: Participant, state: str):
    situation = replace(CALM, participants=(replace(participant, state=state),))

    assert conditions.derive(situation, now=NOW) == [Condition.DEGRADED]


@pytest.mark.parametrize("state", [one for one in State if one is not State.RUNNING])
def test_a_session_that_does_not_run_is_not_degraded(state: State):
    situation = replace(CALM, state=state, participants=(replace(SINK, state="lost"),))

    assert conditions.derive(situation, now=NOW) == []


def test_a_starting_session_is_degraded_without_a_participant():
    situation = replace(
        CALM,
        state=State.STOPPED,
        is_starting=True,
        participants=(replace(FEED, state="lost"),),
    )

    assert conditions.derive(situation, now=NOW) == [Condition.DEGRADED, Condition.STARTING]


def test_a_historical_session_replays_while_it_runs():
    historical = replace(CALM, mode=Mode.HISTORICAL)

    assert conditions.derive(historical, now=NOW) == [Condition.REPLAYING]
    assert conditions.derive(replace(historical, state=State.PAUSED), now=NOW) == []


@pytest.mark.parametrize(("minutes", "expected"), [(60, []), (59, [Condition.STALE])])
def test_a_session_is_stale_after_its_idle_time(minutes: int, expected: list[Condition]):
    situation = replace(CALM, idle_after=timedelta(minutes=minutes))

    assert conditions.derive(situation, now=NOW) == expected


def test_all_conditions_that_hold_are_told_in_their_order():
    situation = replace(
        CALM,
        mode=Mode.HISTORICAL,
        is_starting=True,
        participants=(replace(FEED, state="lost"),),
        idle_after=timedelta(minutes=1),
        is_waited_for=True,
    )

    assert conditions.derive(situation, now=NOW) == list(Condition)


def test_a_start_misses_the_required_that_are_neither_ready_nor_running():
    participants = [
        Participant(name=f"{state}-{required}", state=state, required=required)
        for state in ("pending", "registered", "ready", "running", "stopped", "failed", "lost")
        for required in (True, False)
    ]

    assert conditions.missing(participants) == [
        "pending-True",
        "registered-True",
        "stopped-True",
        "failed-True",
        "lost-True",
    ]
