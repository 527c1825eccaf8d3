"""The lanes of a session as its page draws them."""

import pytest

from sessions.admin.lanes import Drawing
from sessions.services import lifecycle
from tests import factories
from tests.factories import OPERATOR

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
