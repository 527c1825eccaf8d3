from components.core.heartbeat import BEATS
from components.core.tokens import Expiry, TokenClock


def test_token_without_expiry_never_ends():
    clock = TokenClock(BEATS)

    clock.set(None, now=0)

    assert not clock.warns(1e9)
    assert not clock.is_over(1e9)


def test_token_is_warned_of_once_and_enforced_after_overtime():
    clock = TokenClock(BEATS)
    clock.set(Expiry(at_ms=1000, in_seconds=100), now=0)

    assert [clock.warns(now) for now in (39, 40, 41)] == [False, True, False]
    assert [clock.is_over(now) for now in (100, 124.9, 125)] == [False, False, True]


def test_new_token_starts_the_clock_again():
    clock = TokenClock(BEATS)
    clock.set(Expiry(at_ms=1000, in_seconds=100), now=0)
    clock.warns(90)

    clock.set(Expiry(at_ms=2000, in_seconds=100), now=90)

    assert clock.at_ms == 2000
    assert not clock.is_over(130)
    assert clock.warns(131)
