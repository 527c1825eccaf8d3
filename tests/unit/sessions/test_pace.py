import pytest

from sessions.core.pace import Meter, Pace, said

NOON = 1_000_000


def test_the_clock_begins_at_the_record_to_come():
    pace = Pace(speed=10, clock=None)

    assert pace.reach(None) is None
    assert pace.tick(5.0, upcoming=NOON) == NOON
    assert pace.tick(5.5, upcoming=NOON + 1) == NOON + 5000


def test_the_clock_goes_on_from_where_it_was_saved():
    pace = Pace(speed=0.5, clock=NOON)

    assert pace.tick(5.0, upcoming=NOON + 90_000) == NOON
    assert pace.tick(7.0, upcoming=NOON + 90_000) == NOON + 1000
    assert pace.reach(NOON - 5) == NOON + 1000


def test_time_that_was_waited_is_no_time_of_the_session():
    pace = Pace(speed=1, clock=NOON)
    pace.tick(1.0, upcoming=NOON)

    pace.stand()

    assert pace.tick(100.0, upcoming=NOON) == NOON
    assert pace.tick(100.25, upcoming=NOON) == NOON + 250


def test_the_clock_is_at_least_where_its_last_record_is():
    without_speed, with_speed = Pace(speed=0, clock=None), Pace(speed=1, clock=NOON)

    assert without_speed.reach(NOON) == NOON
    assert with_speed.reach(NOON + 7) == NOON + 7


def test_the_speed_may_change_at_any_time():
    pace = Pace(speed=1, clock=NOON)
    pace.tick(1.0, upcoming=NOON)

    pace.speed = 100

    assert pace.tick(2.0, upcoming=NOON) == NOON + 100_000


def test_how_long_to_sleep_follows_from_the_speed():
    pace = Pace(speed=4, clock=NOON)

    assert pace.seconds_until(NOON + 2000) == 0.5
    assert pace.seconds_until(NOON - 1) == 0
    assert Pace(speed=4, clock=None).seconds_until(NOON) == 0
    assert Pace(speed=0, clock=NOON).seconds_until(NOON + 1) == 0


def test_a_meter_says_how_fast_the_clock_went_over_the_last_second():
    meter = Meter()

    read = [
        meter.read(at, clock)
        for at, clock in ((5.0, None), (6.0, NOON), (6.5, NOON + 5000), (7.0, NOON + 10_000))
    ]
    stood = [meter.read(at, NOON + 10_000) for at in (7.5, 9.0)]

    assert read == [None, None, None, 10.0]
    assert stood == [10.0, 0.0]


def test_the_last_reading_of_less_than_a_second_counts_only_where_there_is_no_other():
    short, long, none = Meter(), Meter(), Meter()
    for meter in (short, long):
        meter.read(1.0, NOON)
    long.read(2.0, NOON + 2000)

    assert short.read(1.5, NOON + 500, is_last=True) == 1.0
    assert long.read(2.5, NOON + 9000, is_last=True) == 2.0
    assert none.read(1.0, NOON, is_last=True) is None


@pytest.mark.parametrize(
    ("speed", "words"),
    [(0.25, "0.25×"), (1, "1×"), (9.87, "9.9×"), (99.6, "100×"), (5e4, "50000×")],
)
def test_a_speed_is_said_in_as_many_figures_as_count(speed, words):
    assert said(speed) == words
