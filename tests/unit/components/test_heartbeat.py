import pytest

from components.core.heartbeat import Beats, Pulse, Rhythm, judge


@pytest.mark.parametrize(
    ("silence", "pulse"),
    [
        (0, Pulse.ALIVE),
        (6, Pulse.ALIVE),
        (6.1, Pulse.LATE),
        (14.9, Pulse.LATE),
        (15, Pulse.LOST),
        (1000, Pulse.LOST),
        (-3, Pulse.ALIVE),
    ],
)
def test_silence_is_judged_by_the_beats_of_the_specification(silence, pulse):
    assert judge(100, 100 + silence) is pulse


def test_short_beats_judge_sooner():
    beats = Beats(interval_seconds=0.1, tolerance_seconds=0.05, lost_seconds=0.3)

    assert [judge(0, now, beats=beats) for now in (0.1, 0.2, 0.3)] == [
        Pulse.ALIVE,
        Pulse.LATE,
        Pulse.LOST,
    ]
    assert beats.silence_seconds == 0.25


def test_rhythm_counts_due_beats_and_makes_up_none():
    rhythm = Rhythm(now=0, interval_seconds=5)

    beats = [rhythm.due(now) for now in (4.9, 5, 5.1, 30, 34.9, 35)]

    assert beats == [None, 1, None, 2, None, 3]
