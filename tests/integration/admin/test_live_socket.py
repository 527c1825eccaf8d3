import re

import pytest
from django.contrib.auth.models import Group, User

from aegis_project.database import atomic, run_db
from components.models import Component
from sessions.admin import frames
from sessions.admin.feeds import OVER_SECONDS
from sessions.services import lifecycle
from streaming import hints, node
from streaming.core.errors import CloseCode
from streaming.hub import Hub
from streaming.node import Node
from streaming.services import ledger
from tests.integration.admin.help import principal
from tests.integration.admin.live import connected, cookie_of

pytestmark = pytest.mark.django_db(transaction=True)

JSON = b'{"bid": 1}'


@pytest.fixture
def cookie(superuser):
    return cookie_of(superuser)


@pytest.fixture
def session(new_session):
    return new_session("one")


def append(session, *types: str) -> None:
    with atomic():
        for one in types:
            ledger.append(session_id=session.pk, type=one, actor="system:test")


# Who is let in


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("", "desk:8000", "ws"),
        ("http://elsewhere:8000", "desk:8000", "ws"),
        ("http://desk:9000", "desk:8000", "ws"),
        ("http://desk", "desk:8000", "ws"),
        ("https://desk:8000", "desk:8000", "ws"),
        ("http://desk:8000", "desk:8000", "wss"),
        ("null", "desk:8000", "ws"),
    ],
)
async def test_page_of_another_origin_is_turned_away(cookie, origin, host, scheme):
    async with connected(cookie, origin=origin, host=host, scheme=scheme) as socket:
        assert socket.accepted is False


async def test_own_page_is_let_in(cookie):
    async with connected(cookie, origin="https://desk", host="desk", scheme="wss") as socket:
        assert socket.accepted is True


async def test_page_at_the_public_address_is_let_in(cookie, settings):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"public_url": "https://aegis.example.org/"}
    )

    async with connected(cookie, origin="https://aegis.example.org") as socket:
        assert socket.accepted is True


@pytest.mark.parametrize("cookie", ["", "sessionid=nonsense", "other=1"])
async def test_nobody_is_turned_away(cookie):
    async with connected(cookie) as socket:
        assert socket.accepted is False


async def test_somebody_who_is_not_of_the_staff_is_turned_away():
    user = await run_db(User.objects.create_user, "guest")

    async with connected(await run_db(cookie_of, user)) as socket:
        assert socket.accepted is False


async def test_who_signs_out_loses_the_socket(cookie, monkeypatch):
    monkeypatch.setattr("sessions.consumers.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("sessions.consumers.RECHECK_SECONDS", 0.05)
    async with connected(cookie) as socket:
        await run_db(User.objects.update, is_active=False)

        assert await socket.closed() == CloseCode.BAD_TOKEN


async def test_who_gets_other_rights_must_ask_again(viewer, monkeypatch):
    monkeypatch.setattr("sessions.consumers.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("sessions.consumers.RECHECK_SECONDS", 0.05)
    async with connected(await run_db(cookie_of, viewer)) as socket:
        others = await run_db(Group.objects.create, name="others")
        await run_db(viewer.groups.add, others)

        assert await socket.closed() == CloseCode.DRAINING


# What it may say


@pytest.mark.parametrize(
    "raw",
    [
        "no json",
        "[]",
        "{}",
        '{"type": "unknown"}',
        '{"type": "ledger", "id": "x", "show": "all", "after": 0}',
        '{"type": "sessions", "ids": ["x"]}',
        '{"type": "sessions", "ids": "all"}',
        '{"type": "sessions", "ids": [1]}',
        '{"type": "session", "id": null, "tab": "timeline"}',
        '{"type": "tail", "id": "5f1a8c1e-0000-4000-8000-000000000001"}',
        '{"type": "tail", "id": "5f1a8c1e-0000-4000-8000-000000000001", "topic": "ledger"}',
        '{"type": "tail", "id": "5f1a8c1e-0000-4000-8000-000000000001", "topic": "a", "after": 1}',
        '{"type": "ledger", "id": "5f1a8c1e-0000-4000-8000-000000000001", "show": "x", "after": 0}',
        '{"type": "ledger", "id": "5f1a8c1e-0000-4000-8000-000000000001", "show": "all",'
        ' "after": -1}',
        '{"type": "session", "type": "session"}',
        '{"type": "tail", "id": "5f1a8c1e-0000-4000-8000-000000000001", "topic": "a", "slot": "c"}',
        '{"type": "tail", "id": "5f1a8c1e-0000-4000-8000-000000000001", "topic": "a", "mode": "x"}',
        '{"type": "untail", "slot": 1}',
        '{"type": "monitor", "ids": [], "view": "x"}',
        '{"type": "monitor", "ids": ["1"], "view": "open"}',
        '{"type": "monitor", "ids": {}, "view": "open"}',
        '{"type": "monitor", "ids": [], "view": "open", "q": 1}',
        '{"type": "topic", "id": "5f1a8c1e-0000-4000-8000-000000000001", "topic": 1}',
        '{"type": NaN}',
    ],
)
async def test_frame_that_is_none_is_told_and_closed_with_4000(cookie, raw):
    async with connected(cookie) as socket:
        await socket.say(raw)

        assert (await socket.frame("error"))["error"]["code"] == "VALIDATION_ERROR"
        assert await socket.closed() == CloseCode.PROTOCOL


async def test_frame_that_is_too_large_is_closed_with_4008(cookie):
    async with connected(cookie) as socket:
        await socket.say('{"type": "' + "x" * 20_000 + '"}')

        assert await socket.closed() == CloseCode.FRAME_TOO_LARGE


async def test_subscription_beyond_ones_rights_is_refused(viewer, session):
    async with connected(await run_db(cookie_of, viewer)) as socket:
        await socket.say({"type": "topics", "id": str(session.pk)})

        assert (await socket.frame("error"))["error"]["code"] == "PERMISSION_DENIED"
        assert await socket.closed() == CloseCode.FORBIDDEN


async def test_session_of_another_team_is_refused_and_the_rest_goes_on(
    viewer, session, other_team, new_session
):
    theirs = await run_db(new_session, "theirs", team="others")
    async with connected(await run_db(cookie_of, viewer)) as socket:
        await socket.say({"type": "session", "id": str(theirs.pk), "tab": "timeline"})
        error = await socket.frame("error")
        await socket.say({"type": "session", "id": str(session.pk), "tab": "timeline"})

        assert error["error"]["code"] == "SESSION_NOT_FOUND"
        assert "one" in (await socket.frame("parts"))["parts"]["meta"].lower()


# What it tells


async def test_ledger_goes_on_from_the_position_named(cookie, session, superuser):
    await run_db(lifecycle.start, principal=principal(superuser), session=session.pk)
    async with connected(cookie) as socket:
        await socket.say({"type": "ledger", "id": str(session.pk), "show": "all", "after": 1})
        first = await socket.frame("events")
        await run_db(lifecycle.pause, principal=principal(superuser), session=session.pk)
        second = await socket.frame("events")

    assert (first["after"], first["head"], first["missed"]) == (1, 2, False)
    assert "Session runs" in first["html"]
    assert (second["after"], second["head"]) == (2, 3)
    assert re.findall(r'data-seq="(\d+)"', second["html"]) == ["3"]


async def test_ledger_with_nothing_new_says_so_at_once(cookie, session):
    async with connected(cookie) as socket:
        await socket.say({"type": "ledger", "id": str(session.pk), "show": "all", "after": 1})

        frame = await socket.frame("events")

    assert (frame["after"], frame["head"], frame["html"]) == (1, 1, "")


async def test_ledger_tells_when_more_came_than_a_page_holds(cookie, session):
    await run_db(append, session, *["x.y"] * 150)
    async with connected(cookie) as socket:
        await socket.say({"type": "ledger", "id": str(session.pk), "show": "all", "after": 1})

        frame = await socket.frame("events")

    assert (frame["head"], frame["first"], frame["missed"]) == (151, 52, True)


async def test_filtered_ledger_moves_its_position_over_what_it_hides(cookie, session, superuser):
    async with connected(cookie) as socket:
        await socket.say({"type": "ledger", "id": str(session.pk), "show": "errors", "after": 1})
        await socket.frame("events")
        await run_db(lifecycle.start, principal=principal(superuser), session=session.pk)

        frame = await socket.frame("events")

    assert (frame["after"], frame["head"], frame["html"]) == (1, 2, "")


async def test_only_parts_that_changed_are_sent_again(cookie, session, superuser):
    async with connected(cookie) as socket:
        await socket.say({"type": "session", "id": str(session.pk), "tab": "timeline"})
        first = await socket.frame("parts")
        await run_db(lifecycle.start, principal=principal(superuser), session=session.pk)
        second = await socket.frame("parts")

    shows = ["show-errors", "show-people"]
    always = ["lever", "meta", "ribbon", *shows, "strip", "tabs", "title"]
    assert sorted(first["parts"]) == always
    assert sorted(second["parts"]) == ["lever", "meta", "show-people", "title"]
    assert second["parts"]["show-people"] == "2"


async def test_rows_are_read_again_and_new_ones_counted(cookie, session, superuser, new_session):
    async with connected(cookie) as socket:
        await socket.say({"type": "sessions", "ids": [str(session.pk)]})
        first = await socket.frame("rows")
        await run_db(lifecycle.start, principal=principal(superuser), session=session.pk)
        moved = await socket.frame("rows")
        await run_db(new_session, "two")
        added = await socket.frame("rows")

    assert list(first["rows"]) == [str(session.pk)]
    assert list(moved["rows"][str(session.pk)]) == ["state_cell", "active_cell"]
    assert (added["rows"], added["others"]) == ({}, 1)


async def test_new_sessions_of_other_teams_are_not_counted(
    viewer, session, superuser, other_team, new_session
):
    async with connected(await run_db(cookie_of, viewer)) as socket:
        await socket.say({"type": "sessions", "ids": [str(session.pk)]})
        await socket.frame("rows")
        await run_db(new_session, "theirs", team="others")
        await run_db(lifecycle.start, principal=principal(superuser), session=session.pk)

        frame = await socket.frame("rows")

    assert (list(frame["rows"]), frame["others"]) == ([str(session.pk)], 0)


async def test_rows_of_components_follow_their_hint(cookie, session, new_component):
    row = await run_db(new_component, session, "feed", state="ready")
    async with connected(cookie) as socket:
        await socket.say({"type": "components", "ids": [str(row.pk)]})
        await socket.frame("rows")
        await run_db(Component.objects.filter(pk=row.pk).update, state="running")
        hints.deliver(hints.Hint("component", str(row.pk)))

        frame = await socket.frame("rows")

    assert 'data-word="running"' in frame["rows"][str(row.pk)]["state_cell"]


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "session", "tab": "timeline"},
        {"type": "ledger", "show": "all", "after": 0},
        {"type": "conversation"},
    ],
    ids=lambda one: one["type"],
)
async def test_sp11_what_is_over_is_looked_at_by_itself_no_more(superuser, session, asked):
    by = principal(superuser)
    feed = frames.feed(by, {**asked, "id": str(session.pk)})
    await feed.turn()
    while_open = feed.period_seconds
    await run_db(lifecycle.end, principal=by, session=session.pk)

    await feed.turn()

    assert (while_open, feed.period_seconds) == (2.0, OVER_SECONDS)
    assert feed.wants(hints.Hint("ledger", str(session.pk)))


async def test_page_of_a_component_follows_its_hint(cookie, session, new_component):
    row = await run_db(new_component, session, "feed", state="ready")
    async with connected(cookie) as socket:
        await socket.say({"type": "component", "id": str(row.pk)})
        first = await socket.frame("parts")
        await run_db(Component.objects.filter(pk=row.pk).update, state="running")
        hints.deliver(hints.Hint("component", str(row.pk)))

        frame = await socket.frame("parts")

    assert list(first["parts"]) == [
        "awaited",
        "standing",
        "steps",
        "beats",
        "beats-table",
        "streams",
    ]
    assert 'data-word="running"' in frame["parts"]["standing"]


async def test_page_of_a_component_of_nobody_is_refused(cookie, session):
    async with connected(cookie) as socket:
        await socket.say({"type": "component", "id": str(session.pk)})

        frame = await socket.frame("error")

    assert frame["error"]["code"] == "COMPONENT_NOT_FOUND"


async def test_newer_subscription_of_a_type_replaces_the_older(cookie, session, new_session):
    other = await run_db(new_session, "two")
    async with connected(cookie) as socket:
        for one in (session, other):
            await socket.say({"type": "ledger", "id": str(one.pk), "show": "all", "after": 0})
            await socket.frame("events")
        await run_db(append, session, "x.y")
        await run_db(append, other, "x.z")

        frame = await socket.frame("events")

    assert "x.z" in frame["html"]


# Topics


@pytest.fixture
async def hub():
    running = Node(hub=Hub(), jobs=[])
    await running.hub.start()
    node.install(running)
    yield running.hub
    node.install(None)
    await running.hub.stop()


async def test_topics_are_listed_with_their_heads(cookie, session, hub):
    async with connected(cookie) as socket:
        await socket.say({"type": "topics", "id": str(session.pk)})
        empty = await socket.frame("topics")
        await hub.publish((str(session.pk), "book"), [(1_767_139_200_000, JSON)] * 3)
        shown = await socket.frame("topics")

    assert empty["html"].strip() == ""
    assert re.search(r'data-tail="book"', shown["html"])
    assert re.search(r'data-label="Head"[^>]*>3<', shown["html"], re.DOTALL)


async def test_tail_begins_with_the_last_fifty_and_goes_on(cookie, session, hub):
    key = (str(session.pk), "book")
    await hub.publish(key, [(1_767_139_200_000, JSON)] * 60)
    async with connected(cookie) as socket:
        await socket.say({"type": "tail", "id": str(session.pk), "topic": "book", "after": None})
        first = await socket.frame("tail")
        await hub.publish(key, [(1_767_139_201_000, JSON)])
        second = await socket.frame("tail")

    assert [record[0] for record in first["records"]] == list(range(11, 61))
    assert (first["head"], first["skipped"]) == (60, 0)
    assert second["records"] == [[61, 1_767_139_201_000, JSON.decode()]]


async def test_tail_counts_what_one_frame_does_not_hold(cookie, session, hub):
    key = (str(session.pk), "book")
    async with connected(cookie) as socket:
        await hub.publish(key, [(1_767_139_200_000, JSON)])
        await socket.say({"type": "tail", "id": str(session.pk), "topic": "book", "after": None})
        await socket.frame("tail")
        await hub.publish(key, [(1_767_139_200_000, JSON)] * 500)
        frame = await socket.frame("tail")

    assert (frame["head"], len(frame["records"]), frame["skipped"]) == (501, 20, 480)


async def test_tail_goes_on_from_a_position_of_the_same_epoch(cookie, session, hub):
    end = await hub.publish((str(session.pk), "book"), [(1_767_139_200_000, JSON)] * 5)
    ask = {"type": "tail", "id": str(session.pk), "topic": "book"}
    async with connected(cookie) as socket:
        await socket.say({**ask, "after": {"epoch": end.epoch, "seq": 3}})
        same = await socket.frame("tail")
        await socket.say({**ask, "after": {"epoch": "00" * 8, "seq": 3}})
        other = await socket.frame("tail")

    assert [record[0] for record in same["records"]] == [4, 5]
    assert (same["is_new_epoch"], other["is_new_epoch"]) == (False, True)
    assert [record[0] for record in other["records"]] == [1, 2, 3, 4, 5]


async def test_tail_of_a_topic_that_is_not_there_waits_for_it(cookie, session, hub):
    async with connected(cookie) as socket:
        await socket.say({"type": "tail", "id": str(session.pk), "topic": "book", "after": None})
        empty = await socket.frame("tail")
        await hub.publish((str(session.pk), "book"), [(1_767_139_200_000, JSON)])
        filled = await socket.frame("tail")

    assert (empty["records"], empty["head"]) == ([], 0)
    assert [record[0] for record in filled["records"]] == [1]


async def test_untail_ends_the_tail_alone(cookie, session, hub):
    key = (str(session.pk), "book")
    await hub.publish(key, [(1_767_139_200_000, JSON)])
    async with connected(cookie) as socket:
        await socket.say({"type": "tail", "id": str(session.pk), "topic": "book", "after": None})
        await socket.frame("tail")
        await socket.say({"type": "untail", "slot": "a"})
        await socket.say({"type": "ledger", "id": str(session.pk), "show": "all", "after": 0})
        await hub.publish(key, [(1_767_139_200_000, JSON)])

        assert (await socket.frame("events"))["head"] == 1
