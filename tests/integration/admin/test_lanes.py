"""The lanes of a session as its page draws them."""

import pytest

from sessions.admin import lanes
from sessions.admin.lanes import Drawing
from sessions.services import bookmarks, conversation, lifecycle
from sessions.services.bookmarks import Mark
from sessions.services.conversation import Utterance
from tests import factories
from tests.factories import OPERATOR
from tests.integration.admin.help import address, text

pytestmark = pytest.mark.django_db


def words(shown) -> dict[str, list[str]]:
    return {
        lane["name"]: [item[0] for item in lane["items"]]
        for group in shown["groups"]
        for lane in group["lanes"]
    }


def again(session) -> None:
    for verb in (lifecycle.start, lifecycle.pause):
        verb(principal=OPERATOR, session=session)
    session.refresh_from_db()


def test_drawing_grows_with_the_ledger_and_ends_with_the_session():
    session = factories.session(key="desk")
    drawing = Drawing()

    assert drawing.read(session)
    assert not drawing.read(session)
    again(session)
    assert drawing.read(session)
    assert words(drawing.shown(session)) == {"Lifecycle": ["created", "running", "paused"]}
    assert drawing.shown(session)["closed"] is None
    lifecycle.end(principal=OPERATOR, session=session)
    session.refresh_from_db()
    drawing.read(session)

    shown = drawing.shown(session)
    assert words(shown)["Lifecycle"][-1] == "ended"
    assert shown["closed"] == shown["groups"][0]["lanes"][0]["items"][-1][1]
    assert shown["is_whole"]


def test_long_ledger_begins_with_its_newest_events_and_what_stands_since_before():
    session = factories.session(key="desk")
    component = factories.readied(session, "feed")
    for _ in range(5):
        again(session)
    drawing = Drawing(most=2)

    drawing.read(session)
    shown = drawing.shown(session)

    assert not shown["is_whole"]
    assert len(words(shown)["Lifecycle"]) <= 2
    assert "feed" in words(shown)
    assert component.name == "feed"
    for _ in range(3):
        again(session)
    drawing.read(session)
    assert len(words(drawing.shown(session))["Lifecycle"]) <= 2


def test_a_stretch_of_the_past_stays_as_it_is_and_says_where_it_lies():
    session = factories.session(key="desk")
    factories.readied(session, "feed")
    for _ in range(5):
        again(session)
    newest, past = Drawing(most=4), Drawing(most=4)

    newest.read(session)
    first = newest.window(session)
    past.look_back(session, first["earlier"])
    shown, window = past.shown(session), past.window(session)

    assert (first["count"], first["is_newest"], first["later"]) == ("4", True, None)
    assert window["total"] == first["total"]
    assert window["earlier"] < first["earlier"]
    assert not window["is_newest"]
    assert words(shown) == {
        "Lifecycle": ["paused", "running", "paused"],
        "feed": ["running", "ready"],
    }
    assert shown["from"] <= shown["closed"] <= newest.shown(session)["from"]


def test_stretches_lead_to_each_other_and_the_first_has_none_before():
    session = factories.session(key="desk")
    for _ in range(6):
        again(session)
    drawing, before, seen = Drawing(most=4), None, []
    drawing.read(session)
    while (before := drawing.window(session)["earlier"]) is not None:
        drawing = Drawing(most=4)
        drawing.look_back(session, before)
        seen.append(drawing.window(session)["later"])

    assert len(seen) >= 2
    assert seen[0] is None
    assert all(seen[1:])


def test_a_stretch_before_everything_is_empty():
    session = factories.session(key="desk")
    drawing = Drawing()

    drawing.look_back(session, 1)

    assert words(drawing.shown(session)) == {"Lifecycle": ["created"]}
    assert drawing.window(session)["count"] == "0"


def test_page_and_review_say_how_many_of_how_many_they_show(client, superuser, monkeypatch):
    monkeypatch.setattr(lanes, "MOST", 4)
    session = factories.session(key="desk")
    for _ in range(6):
        again(session)
    client.force_login(superuser)

    for name in ("change", "review"):
        page = client.get(address(session, name), {"view": "lanes"})
        past = client.get(address(session, name), {"lanes": "6"})

        assert "Showing the newest 4 of 13 marks. Earlier marks" in text(page)
        assert "Showing 4 of 13 marks. Earlier marks" in text(past)
        assert "Newest marks" in text(past)


def test_bookmarks_are_flags_on_the_lanes(client, superuser):
    session = factories.session(key="desk")
    said = conversation.say(principal=OPERATOR, session=session, draft=Utterance(content="Well"))
    for mark in (
        Mark(seq=1, name="Begin", is_shared=True),
        Mark(message=str(said.message.pk), name="Word", is_shared=True),
    ):
        bookmarks.create(principal=OPERATOR, session=session, mark=mark)
    client.force_login(superuser)

    for name in ("change", "review"):
        flags = client.get(address(session, name)).context["lanes"]["flags"]

        kept = {flag[1]: flag[2:] for flag in flags if flag[3] == "bookmark"}
        assert kept == {"Begin": [1, "bookmark"], "Word": [0, "bookmark"]}
