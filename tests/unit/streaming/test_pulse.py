import pytest

from streaming.core.pulse import SAMPLES, Pulse

EPOCH = "00000000000000aa"


def looked(*heads, step=2.0, lag=0, size=10):
    """A pulse after one look every ``step`` seconds at these heads."""
    pulse = Pulse()
    for place, head in enumerate(heads):
        pulse.note(at=place * step, epoch=EPOCH, head=head, size=head * size, lag=lag)
    return pulse


def test_one_look_tells_no_rate():
    pulse = looked(7)

    assert (pulse.rate, pulse.size, pulse.gap, list(pulse.rates)) == (None, None, None, [])


def test_rate_is_the_mean_of_the_last_looks():
    pulse = looked(0, 100, 102, 108, 110)

    assert list(pulse.rates) == [50, 1, 3, 1]
    assert (pulse.rate, pulse.size) == (pytest.approx(5 / 3), pytest.approx(50 / 3))


def test_only_the_last_looks_are_kept():
    pulse = looked(*range(SAMPLES + 20), lag=4)

    assert (len(pulse.rates), len(pulse.sizes), list(pulse.lags)) == (60, 60, [4.0] * 60)


def test_two_looks_at_one_moment_are_one():
    pulse = looked(1, 2, step=0)

    assert list(pulse.rates) == []


@pytest.mark.parametrize(("epoch", "head"), [("00000000000000bb", 500), (EPOCH, 3)])
def test_another_log_begins_anew_and_keeps_what_is_normal(epoch, head):
    pulse = looked(0, 20, 40)
    pulse.note(at=6, epoch=epoch, head=head, size=0, lag=0)

    assert list(pulse.rates) == [10, 10]
    assert pulse.gap == pytest.approx(0.1)
    assert pulse.quiet(7) == 1


def test_bytes_that_are_counted_anew_are_no_negative_rate():
    pulse = looked(1, 2)
    pulse.note(at=4, epoch=EPOCH, head=3, size=0, lag=0)

    assert list(pulse.sizes) == [5, 0]


def test_normal_gap_follows_slowly():
    pulse = looked(0, 20, 22)

    assert pulse.gap == pytest.approx(0.1 + 0.9 * 0.3)


@pytest.mark.parametrize(
    ("seconds", "is_silent"), [(0, False), (3, False), (3.1, True), (46, True)]
)
def test_fast_topic_is_silent_after_three_seconds(seconds, is_silent):
    pulse = looked(*range(0, 400, 20))

    assert pulse.is_silent(38 + seconds) is is_silent


def test_slow_topic_may_be_quiet_for_some_of_its_gaps():
    pulse = looked(*range(20), step=10.0)

    assert pulse.is_silent(190 + 50) is False
    assert pulse.is_silent(190 + 51) is True


def test_longest_wait_of_a_restless_topic_is_normal_for_it():
    pulse = looked(0, 40, 40, 40, 40, 40, 80)

    # It waited ten seconds before it went on.
    assert pulse.is_silent(12 + 14) is False
    assert pulse.is_silent(12 + 16) is True


def test_topic_that_hardly_spoke_is_never_silent():
    pulse = looked(0, 1, 2, 3, 4)

    assert (pulse.is_known, pulse.is_silent(1000)) == (False, False)


def test_topic_that_never_spoke_is_never_silent():
    assert looked(0, 0, 0).is_silent(1000) is False


@pytest.mark.parametrize(
    ("lag", "age"), [(0, 0), (5, 0.5), (20, 2), (30, 3), (40, 4), (41, None), (1000, None)]
)
def test_age_of_a_lag_is_read_from_the_looks(lag, age):
    pulse = looked(0, 20, 40)

    assert pulse.age(lag) == (age if age is None else pytest.approx(age))


def test_age_of_a_lag_has_the_silence_in_it():
    pulse = looked(0, 20, 20, 20)

    assert pulse.age(10) == pytest.approx(5)


def test_a_burst_of_a_few_records_says_nothing_of_what_is_normal():
    pulse = looked(*range(8), *[7] * 40, step=1.0)

    assert pulse.is_known is False
    assert pulse.is_silent(47) is False
