import pytest

from components.core.reconnect import Backoff, Verdict, judge


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (1000, Verdict.RETURN),
        (4005, Verdict.RETURN),
        (4000, Verdict.RAISE),
        (4001, Verdict.RAISE),
        (4007, Verdict.RAISE),
        (4099, Verdict.RAISE),
        (4100, Verdict.PAUSE),
        (4104, Verdict.PAUSE),
        (4200, Verdict.NOW),
        (4299, Verdict.NOW),
        (4300, Verdict.PAUSE),
        (1001, Verdict.PAUSE),
        (1006, Verdict.PAUSE),
        (1011, Verdict.PAUSE),
        (None, Verdict.PAUSE),
    ],
)
def test_close_code_tells_what_to_do(code, verdict):
    assert judge(code, is_staying=False) is verdict


def test_component_that_stays_registers_again_after_a_stop_and_not_after_the_end():
    assert judge(1000, is_staying=True) is Verdict.NOW
    assert judge(4005, is_staying=True) is Verdict.RETURN


def test_backoff_doubles_within_its_limit_and_spreads():
    backoff = Backoff(base_seconds=1, most_seconds=30)

    assert [backoff.seconds(n, 0) for n in (1, 2, 3, 4, 5, 6)] == [1, 2, 4, 8, 15, 15]
    assert [backoff.seconds(n, 1) for n in (1, 2, 3, 4, 5, 1000)] == [2, 4, 8, 16, 30, 30]
