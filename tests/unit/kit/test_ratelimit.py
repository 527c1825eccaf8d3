import pytest

from aegis_project.kit.ratelimit import Bucket, Rate, Windows


def taken(bucket, *moments):
    return [bucket.take(now) for now in moments]


def test_bucket_lets_a_burst_through_and_then_what_flows_in():
    bucket = Bucket(per_second=2, burst_seconds=2)

    at_once = taken(bucket, *[100.0] * 5)
    later = taken(bucket, 102, 102, 102)

    assert at_once == [True, True, True, True, False]
    assert later == [True, True, True]


def test_bucket_that_was_not_used_holds_no_more_than_its_burst():
    bucket = Bucket(per_second=1, burst_seconds=3)
    bucket.take(0)

    assert taken(bucket, *[1000.0] * 4) == [True, True, True, False]


@pytest.mark.parametrize("seconds", [0.5, 1, 60])
def test_steady_use_at_the_rate_never_ends(seconds):
    bucket = Bucket(per_second=1 / seconds, burst_seconds=seconds)

    assert all(taken(bucket, *[n * seconds for n in range(1000)]))


def test_bucket_without_a_rate_has_no_limit():
    bucket = Bucket(per_second=0, burst_seconds=0)

    assert all(taken(bucket, *[5.0] * 1000))


TWO = Rate(amount=2, seconds=10)


def test_window_has_room_again_when_the_oldest_has_passed():
    windows = Windows()

    found = [windows.take(("a",), TWO, now) for now in (100, 104, 105, 110, 111, 115)]

    assert found == [None, None, 5, None, 3, None]


def test_windows_of_callers_are_their_own_and_are_forgotten():
    windows = Windows()
    for name in ("a", "b"):
        windows.take((name,), TWO, 100)
    before = len(windows)

    windows.take(("c",), TWO, 200)

    assert (before, len(windows)) == (2, 1)
