"""How often somebody may do something, in memory and in a store that all processes share."""

import os
import uuid
from functools import partial
from typing import Any

import pytest
from django.conf import settings as django_settings

from aegis_project import rates
from aegis_project.kit.errors import CacheUnavailable, RateLimited
from aegis_project.rates import Rate
from tests import stores, threads

RATE = Rate(amount=3, seconds=600)


@pytest.fixture(params=["memory", "valkey"])
def store(request: pytest.FixtureRequest, settings: Any) -> str:
    url = "" if request.param == "memory" else os.environ["AEGIS_TEST_REDIS_URL"]
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update={"redis_url": url})
    return str(request.param)


@pytest.fixture
def somebody() -> str:
    return uuid.uuid4().hex


def taken(*who: str, rate: Rate = RATE) -> bool:
    try:
        rates.take("test", *who, rate=rate)
    except RateLimited:
        return False
    return True


@pytest.mark.usefixtures("store")
def test_what_is_above_the_rate_is_refused_with_the_time_to_wait(somebody: str):
    found = [taken(somebody) for _ in range(3)]

    with pytest.raises(RateLimited) as refused:
        rates.take("test", somebody, rate=RATE)

    assert found == [True, True, True]
    assert 590 <= refused.value.details["retry_after"] <= 600


@pytest.mark.usefixtures("store")
def test_each_kind_and_each_caller_has_a_count_of_its_own(somebody: str):
    one = Rate(amount=1, seconds=600)
    rates.take("test", somebody, "10.0.0.1", rate=one)

    rates.take("test", somebody, "10.0.0.2", rate=one)
    rates.take("other", somebody, "10.0.0.1", rate=one)

    assert not taken(somebody, "10.0.0.1", rate=one)


@pytest.mark.usefixtures("store")
def test_an_amount_of_nothing_is_no_limit(somebody: str):
    assert all(taken(somebody, rate=Rate(amount=0, seconds=600)) for _ in range(5))


@pytest.mark.usefixtures("store")
def test_many_at_once_get_no_more_than_the_rate(somebody: str):
    found = threads.together([partial(taken, somebody)] * 12)

    assert sum(found) == 3


def test_a_store_that_is_away_is_told(settings: Any, somebody: str):
    away = {"redis_url": f"redis://127.0.0.1:{stores.free_port()}/0"}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=away)

    with pytest.raises(CacheUnavailable):
        rates.take("test", somebody, rate=RATE)
