import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import slo
from sessions.core.slo import Limit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("lag_p95=250ms", Limit("lag_p95", 0.25)),
        ("lag_max=1.5s", Limit("lag_max", 1.5)),
        ("missing=0", Limit("missing", 0)),
    ],
)
def test_a_limit_is_read(text: str, limit: Limit):
    assert slo.read(text) == limit


@pytest.mark.parametrize("text", ["", "lag_p95", "lag_p95=250", "missing=2s", "lag=1s", "x=1"])
def test_what_is_no_limit_is_refused(text: str):
    with pytest.raises(ValidationFailed, match="is no limit such as"):
        slo.read(text)


def test_shares_of_lags_are_those_of_their_order():
    found = slo.figures([0.001 * place for place in range(100, 0, -1)], missing=2)

    assert found == {
        "lag_p50": pytest.approx(0.05),
        "lag_p95": pytest.approx(0.095),
        "lag_p99": pytest.approx(0.099),
        "lag_max": pytest.approx(0.1),
        "missing": 2,
    }


def test_a_limit_is_met_up_to_it_and_not_by_what_was_not_measured():
    found = slo.figures([0.25], missing=1)

    assert slo.read("lag_p95=250ms").is_met(found)
    assert not slo.read("lag_p95=249ms").is_met(found)
    assert not slo.read("missing=0").is_met(found)
    assert not slo.read("lag_max=9s").is_met(slo.figures([], missing=0))
