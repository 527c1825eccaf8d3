import pytest

from aegis_project.kit import entries, quotas
from aegis_project.kit.quotas import Quota


def test_a_limit_of_a_team_stands_in_the_place_of_that_of_all():
    found = quotas.parse("open_sessions=100, runs_per_day=9,the desk:open_sessions=500")

    assert found.of("elsewhere") == {Quota.OPEN_SESSIONS: 100, Quota.RUNS_PER_DAY: 9}
    assert found.of("the desk") == {Quota.OPEN_SESSIONS: 500, Quota.RUNS_PER_DAY: 9}


def test_an_amount_of_nothing_is_no_limit():
    found = quotas.parse("open_sessions=100,desk:open_sessions=0,stored_bytes=0")

    assert found.of("desk") == {}
    assert found.limits(Quota.OPEN_SESSIONS)
    assert not found.limits(Quota.STORED_BYTES)
    assert not quotas.parse("").limits(Quota.OPEN_SESSIONS)


def test_a_limit_of_one_team_alone_is_one():
    assert quotas.parse("desk:tokens_per_day=7").limits(Quota.TOKENS_PER_DAY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("open_session=1", "'open_session' is no quota"),
        ("open_sessions=-1", "'-1' is no amount of open_sessions"),
        ("open_sessions=many", "'many' is no amount"),
        ("open_sessions=²", "'²' is no amount"),
        ("open_sessions", "'open_sessions' is not name=amount"),
        ("=1", "'=1' is not name=amount"),
        ("open_sessions=", "'open_sessions=' is not name=amount"),
    ],
)
def test_what_is_no_quota_is_named(text: str, said: str):
    with pytest.raises(ValueError, match=said):
        quotas.parse(text)


def test_lists_leave_blanks_out():
    assert entries.listed(" a,,b ,") == ["a", "b"]
    assert entries.pairs("a=/b=c", of="path") == [("a", "/b=c")]
