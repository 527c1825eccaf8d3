"""How often somebody may do something, in memory and in a store that all processes share."""

import os
import uuid
from functools import partial
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from aegis_project import asking, rates
from aegis_project.database import read_db, run_db
from aegis_project.kit import principal
from aegis_project.kit.errors import CacheUnavailable, RateLimited
from aegis_project.kit.ratelimit import Rate
from aegis_project.rates import Counted
from streaming.models import AuditEntry
from tests import stores, threads
from tests.calling import Caller, caller
from tests.integration.sessions import working_help

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


@pytest.fixture
def away(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"redis://127.0.0.1:{stores.free_port()}/0"
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update={"redis_url": url})
    monkeypatch.setattr(rates, "_away_until", 0.0)


@pytest.mark.usefixtures("away")
def test_while_the_store_is_away_each_process_counts_for_itself(somebody: str):
    found = [taken(somebody) for _ in range(4)]

    assert found == [True, True, True, False]


@pytest.mark.usefixtures("away")
def test_a_store_that_must_count_and_is_away_is_told(settings: Any, somebody: str):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"rates_required": True})

    with pytest.raises(CacheUnavailable):
        rates.take("test", somebody, rate=RATE)


def test_what_aegis_does_itself_is_not_counted(settings: Any):
    one = {"commands_per_minute": 1}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=one)

    for _ in range(3):
        rates.admit(Counted.COMMAND, principal.system("tests"))


async def test_the_address_of_the_peer_is_known_where_the_work_is_done():
    asking.note({"client": ("10.1.2.3", 4)})

    assert await run_db(asking.address) == "10.1.2.3"
    assert await read_db(asking.address) == "10.1.2.3"


# Every transport


def reached(program: Caller, way: str) -> tuple[int, str, Any]:
    """The status, Retry-After and body of a command that came this way."""
    body: dict[str, Any] = {"name": uuid.uuid4().hex}
    address = "/api/v1/sessions"
    if way == "000":
        address, body = "/aegis/commands", {"command": "SESSION_CREATE", "payload": body}
    elif way == "001":
        address, body = (
            "/api/v1/agent-sessions",
            {"sessionType": "audit", "sessionId": body["name"]},
        )
    elif way == "002":
        address, body = "/sessions", {"agentId": working_help.agent().slug}
    elif way == "003":
        address, body = "/bus/session", {"type": "create", "data": {"owner": "o", "type": "test"}}
    answer = program.post(address, body)
    return answer.status_code, answer.headers.get("Retry-After", ""), answer.json()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["rest", "000", "001", "002", "003"])
def test_every_way_in_says_in_its_own_shape_when_to_come_again(settings: Any, way: str):
    one = {"creates_per_minute": 1}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=one)
    program = caller()
    says_by_status = way not in {"000", "003"}

    first, second, third = (reached(program, way) for _ in range(3))

    refusals = list(
        AuditEntry.objects.filter(code="RATE_LIMITED").values_list("command", "outcome")
    )
    assert first[0] in {200, 201}
    assert second[0] == third[0] == (429 if says_by_status else 200)
    assert "Wait" in str(second[2])
    assert not says_by_status or 0 < int(second[1]) <= 60
    assert refusals == [("session.create", "refused")]


@pytest.mark.django_db
def test_signing_in_is_tried_so_often_from_one_address(settings: Any):
    one = {"logins_per_minute": 1}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=one)
    here, data = f"fd00::{uuid.uuid4().hex[:4]}", {"username": "nobody", "password": "wrong"}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    answers = [Client().post("/admin/login/", data, REMOTE_ADDR=here) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert 0 < int(answers[1].headers["Retry-After"]) <= 60
