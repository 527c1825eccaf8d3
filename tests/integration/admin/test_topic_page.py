"""The page of one topic: what it shows, and publishing by hand."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from aegis_project.database import run_db
from sessions.services import lifecycle
from streaming import node
from streaming.engines.memory import MemoryEngine
from streaming.engines.rulebook import RuleBook
from streaming.hub import Hub
from streaming.node import Node
from tests.integration.admin.help import principal, text

pytestmark = pytest.mark.django_db(transaction=True)

MONITOR = "/admin/aegis_streaming/log/"
SCHEMA = {"type": "object", "required": ["bid"]}
RULES = [
    {"pattern": "strict", "schema": SCHEMA},
    {"pattern": "lenient", "schema": SCHEMA, "on_invalid": "quarantine"},
]
PUBLISHER = (
    "aegis_sessions.view_session",
    "aegis_streaming.view_log",
    "aegis_streaming.change_log",
)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async def load(session_ids: Any) -> Any:
        return dict.fromkeys(session_ids, RULES)

    rules = RuleBook(load)
    running = Node(hub=Hub(engines=[MemoryEngine(rules=rules)], rules=rules), jobs=[])
    await running.start()
    node.install(running)
    yield running.hub
    node.install(None)
    await running.stop()


@pytest.fixture
def session(new_session):
    return new_session("one", config={"topics": RULES})


@pytest.fixture
def publisher(person):
    return person("petra", *PUBLISHER)


async def browse(user: User, session: Any, topic: str = "book") -> Any:
    def get() -> Any:
        client = Client()
        client.force_login(user)
        return client.get(f"{MONITOR}{session.pk}/{topic}/")

    return await run_db(get)


async def publish(user: User, session: Any, data: str, topic: str = "book", **more: str) -> Any:
    def post() -> Any:
        client = Client(raise_request_exception=False)
        client.force_login(user)
        address = f"{MONITOR}{session.pk}/{topic}/publish/"
        return client.post(address, {"data": data, **more})

    return await run_db(post)


async def test_page_shows_a_topic_that_is_only_open_yet(publisher, session, hub):
    await hub.publish((str(session.pk), "book"), [(1, b'{"bid": 1}'), (2, b'{"bid": 2}')])

    page = text(await browse(publisher, session))

    assert "{bid: number} 2 records, last at 2" in page
    assert "Nobody is subscribed." in page
    assert "Position 2, kept from 1" in page


async def test_record_is_published_with_the_digits_that_were_typed(publisher, session, hub):
    answer = await publish(publisher, session, ' {"bid":\n 1.50,\t"n": 12345678901234567890} ')

    key = (str(session.pk), "book")
    cut = await hub.read(key, 0)
    assert cut is not None
    assert cut.data == [b'{"bid":1.50,"n":12345678901234567890}']
    _, end = await hub.bounds(key)
    assert f"Published at position {end}" in text(answer)
    assert hub.writers(key) == ["user:petra"]


@pytest.mark.parametrize("data", ["", "{", "NaN", '{"a": 1, "a": 2}', '"\\u0000"', "[" * 100])
async def test_what_is_no_json_is_refused(publisher, session, hub, data):
    answer = await publish(publisher, session, data)

    assert (answer.status_code, "VALIDATION_ERROR" in text(answer)) == (400, True)


@pytest.mark.parametrize("topic", ["logs.x", "dlq.x", "runs.1", "ledger"])
async def test_reserved_topics_are_refused(publisher, session, hub, topic):
    answer = await publish(publisher, session, "1", topic)

    assert (answer.status_code, "TOPIC_FORBIDDEN" in text(answer)) == (403, True)


async def test_page_of_a_reserved_topic_says_why_nothing_is_published(publisher, session, hub):
    await hub.publish((str(session.pk), "logs.feed"), [(1, b"1")])

    page = await browse(publisher, session, "logs.feed")

    assert 'id="ae-publish-refused"' in page.content.decode()
    assert 'id="ae-publish"' not in page.content.decode()


async def test_who_may_not_publish_is_told_so(person, session, hub):
    watcher = await run_db(person, "vera", *PUBLISHER[:2])
    await hub.publish((str(session.pk), "book"), [(1, b"1")])

    page, answer = await browse(watcher, session), await publish(watcher, session, "1")

    assert "This needs the scope topics:publish." in text(page)
    assert (answer.status_code, "PERMISSION_DENIED" in text(answer)) == (403, True)


async def test_session_of_another_team_takes_nothing(publisher, new_session, other_team, hub):
    foreign = await run_db(new_session, "far", team="others")

    answer = await publish(publisher, foreign, "1")

    assert (answer.status_code, "SESSION_NOT_FOUND" in text(answer)) == (404, True)


async def test_closed_session_takes_nothing(publisher, superuser, session, hub):
    await run_db(lifecycle.end, principal=principal(superuser), session=session, reason="")

    answer = await publish(publisher, session, "1")

    assert "SESSION_OVER" in text(answer)


@pytest.mark.parametrize(
    ("profile", "setting", "status"),
    [
        ("development", None, 200),
        ("development", False, 403),
        ("production", None, 403),
        ("production", True, 200),
    ],
)
async def test_production_installation_publishes_only_when_it_says_so(
    publisher, session, hub, settings, profile, setting, status
):
    given = {"profile": profile, "admin_publish": setting}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=given)
    await hub.publish((str(session.pk), "book"), [(1, b"1")])

    page, answer = await browse(publisher, session), await publish(publisher, session, "1")

    assert answer.status_code == status
    assert ("AEGIS_ADMIN_PUBLISH" in text(page)) is (status == 403)


@pytest.mark.parametrize(("confirmed", "status"), [("", 400), ("other", 400), ("live", 200)])
async def test_production_session_wants_its_key(publisher, new_session, hub, confirmed, status):
    live = await run_db(new_session, "live", environment="production")

    answer = await publish(publisher, live, "1", confirmed=confirmed)

    assert answer.status_code == status


async def test_record_that_breaks_the_schema_is_refused_or_put_aside(publisher, session, hub):
    refused = await publish(publisher, session, "{}", "strict")
    aside = await publish(publisher, session, "{}", "lenient")
    taken = await publish(publisher, session, '{"bid": 1}', "strict")

    assert (refused.status_code, "bid" in text(refused)) == (400, True)
    assert "put aside into dlq.lenient" in text(aside)
    assert re.search(r"Published at position \w{16}:1:\w{16}", text(taken))
    page = await browse(publisher, session, "strict")
    assert "on a record that breaks it: refuse" in text(page)
