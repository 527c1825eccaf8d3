"""The monitor, a topic's page and two tails on the live socket."""

import asyncio

import pytest
from django.contrib.auth.models import Permission

from aegis_project.database import run_db
from sessions.services import lifecycle
from streaming import node
from streaming.core.errors import CloseCode
from streaming.hub import Hub
from streaming.models import Log
from streaming.node import Node
from tests.integration.admin.help import principal
from tests.integration.admin.live import connected, cookie_of

pytestmark = pytest.mark.django_db(transaction=True)

AT = 1_767_139_200_000
JSON = b'{"bid": 1}'


@pytest.fixture
def cookie(superuser):
    return cookie_of(superuser)


@pytest.fixture
def session(new_session, superuser):
    made = new_session("one")
    return lifecycle.start(principal=principal(superuser), session=made).session


@pytest.fixture
async def hub():
    running = Node(hub=Hub(), jobs=[])
    await running.hub.start()
    node.install(running)
    yield running.hub
    node.install(None)
    await running.hub.stop()


def topic(session, name="book"):
    return Log.objects.create(session=session, name=name, epoch="00000000000000aa", ck="0" * 16)


def ask(*rows, **fields):
    return {"type": "monitor", "ids": [row.pk for row in rows], "view": "open", **fields}


async def flow(hub, session, *, looks=8, name="book"):
    """Publish and look every two seconds, up to now."""
    now = asyncio.get_running_loop().time()
    for turn in range(looks):
        await hub.publish((str(session.pk), name), [(AT, JSON)] * 20)
        hub.watch.look(hub, at=now - 60 + turn * 2.0)
    hub.watch.look(hub, at=now)


async def test_monitor_sends_everything_first_and_then_what_changed(cookie, session, hub):
    row, other = await run_db(topic, session), await run_db(topic, session, "klines")
    async with connected(cookie) as socket:
        await socket.say(ask(row, other))
        first = await socket.frame("monitor")
        await flow(hub, session)
        second = await socket.frame("monitor")

    assert (first["turn"], set(first["rows"]), set(first["parts"])) == (
        1,
        {str(row.pk), str(other.pk)},
        {"views", "strip"},
    )
    assert (second["turn"], set(second["rows"])) == (2, {str(row.pk)})
    assert "topic" in second["rows"][str(row.pk)]
    assert "book silent" in second["parts"]["strip"]


async def test_monitor_counts_topics_that_came_since(cookie, session, hub):
    row = await run_db(topic, session)
    async with connected(cookie) as socket:
        await socket.say(ask(row))
        first = await socket.frame("monitor")
        await run_db(topic, session, "klines")
        second = await socket.frame("monitor")

    assert (first["others"], second["others"]) == (0, 1)


async def test_monitor_shows_nothing_of_other_teams(person, new_session, other_team, hub):
    foreign = await run_db(new_session, "far", team="others")
    row = await run_db(topic, foreign)
    watcher = await run_db(person, "olga", "aegis_streaming.view_log")
    await flow(hub, foreign)
    async with connected(await run_db(cookie_of, watcher)) as socket:
        await socket.say(ask(row))
        frame = await socket.frame("monitor")

    assert (frame["rows"], "book" in frame["parts"]["strip"]) == ({}, False)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "monitor", "ids": [], "view": "open"},
        {"type": "topic", "topic": "book"},
        {"type": "tail", "topic": "book", "after": None},
    ],
)
async def test_who_may_not_read_topics_is_refused_on_the_socket(viewer, session, hub, frame):
    async with connected(await run_db(cookie_of, viewer)) as socket:
        await socket.say({"id": str(session.pk), **frame})

        assert (await socket.frame("error"))["error"]["code"] == "PERMISSION_DENIED"
        assert await socket.closed() == CloseCode.FORBIDDEN


@pytest.mark.parametrize(
    "frame",
    [{"type": "topic", "topic": "book"}, {"type": "tail", "topic": "book", "after": None}],
)
async def test_topic_of_another_team_is_not_there_on_the_socket(
    person, new_session, other_team, hub, frame
):
    foreign = await run_db(new_session, "far", team="others")
    await hub.publish((str(foreign.pk), "book"), [(AT, b'{"secret": 1}')])
    watcher = await run_db(
        person, "olga", "aegis_streaming.view_log", "aegis_sessions.view_session"
    )
    async with connected(await run_db(cookie_of, watcher)) as socket:
        await socket.say({"id": str(foreign.pk), **frame})

        assert (await socket.frame("error"))["error"]["code"] == "SESSION_NOT_FOUND"


async def test_two_tails_run_beside_each_other(cookie, session, hub):
    tail = {"type": "tail", "id": str(session.pk), "after": None}
    await hub.publish((str(session.pk), "book"), [(AT, JSON)])
    await hub.publish((str(session.pk), "klines"), [(AT, JSON)] * 2)
    async with connected(cookie) as socket:
        await socket.say({**tail, "slot": "a", "topic": "book"})
        first = await socket.frame("tail")
        await socket.say({**tail, "slot": "b", "topic": "klines"})
        second = await socket.frame("tail")
        while second["slot"] != "b":
            second = await socket.frame("tail")
        await socket.say({"type": "untail", "slot": "b"})
        await hub.publish((str(session.pk), "klines"), [(AT, JSON)])
        await hub.publish((str(session.pk), "book"), [(AT, JSON)])
        third = await socket.frame("tail")
        while not third["records"]:
            third = await socket.frame("tail")

    assert [(one["slot"], one["topic"], one["head"]) for one in (first, second, third)] == [
        ("a", "book", 1),
        ("b", "klines", 2),
        ("a", "book", 2),
    ]


async def test_tail_of_every_record_holds_more_in_a_frame(cookie, session, hub):
    key = (str(session.pk), "book")
    async with connected(cookie) as socket:
        await hub.publish(key, [(AT, JSON)])
        await socket.say(
            {"type": "tail", "id": key[0], "topic": "book", "after": None, "mode": "all"}
        )
        await socket.frame("tail")
        await hub.publish(key, [(AT, JSON)] * 500)
        frame = await socket.frame("tail")

    assert (frame["head"], len(frame["records"]), frame["skipped"]) == (501, 250, 250)


async def test_tail_tells_that_its_topic_is_silent(cookie, session, hub):
    await flow(hub, session)
    async with connected(cookie) as socket:
        await socket.say({"type": "tail", "id": str(session.pk), "topic": "book", "after": None})
        about = (await socket.frame("tail"))["about"]

    assert (about["is_silent"], about["gap"], about["last_ts"]) == (True, "0.1 s", AT)


async def test_page_of_a_topic_gets_its_parts_and_points(cookie, session, hub):
    async with connected(cookie) as socket:
        await hub.publish((str(session.pk), "book"), [(AT, JSON)])
        await socket.say({"type": "topic", "id": str(session.pk), "topic": "book"})
        first = await socket.frame("topic")
        await flow(hub, session)
        second = await socket.frame("topic")

    assert set(first["parts"]) == {"head", "strip", "said", "subscribers", "shapes"}
    assert "{bid: number}" in first["parts"]["shapes"]
    assert first["series"]["rates"] == []
    assert second["series"]["rates"][:7] == [10.0] * 7
    assert "book silent" in second["parts"]["strip"]


async def test_who_gains_the_right_may_ask(viewer, session, hub):
    permission = await run_db(Permission.objects.get, codename="view_log")
    await run_db(viewer.user_permissions.add, permission)
    async with connected(await run_db(cookie_of, viewer)) as socket:
        await socket.say({"type": "monitor", "ids": [], "view": "open"})

        assert (await socket.frame("monitor"))["turn"] == 1
