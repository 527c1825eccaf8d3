"""What the page of a component tells of its topics, and of what happened to it."""

import pytest
from django.utils import timezone

from components.admin import flow
from components.admin.flow import Flow
from components.models import Component
from sessions.admin import component_streams
from sessions.selectors import timeline
from streaming.hub.figures import SubscriberFigures, TopicFigures
from streaming.hub.watch import Reading
from streaming.services import ledger
from tests.integration.admin.help import principal, text

pytestmark = pytest.mark.django_db


def figures(name: str) -> TopicFigures:
    counts = dict.fromkeys(("records", "bytes", "subscribers", "deliveries", "gaps", "dropped"), 0)
    return TopicFigures(
        name=name,
        alias=1,
        epoch="00000000000000aa",
        start=1,
        head=9,
        ck="",
        last_ts=0,
        lag=0,
        is_source=False,
        is_ended=False,
        **counts,
    )


def taken(component: str, *, lag: int = 0, dropped: int = 0) -> SubscriberFigures:
    return SubscriberFigures(
        component_id=component,
        policy="drop",
        lag=lag,
        gaps=1 if dropped else 0,
        dropped=dropped,
        unsent=None,
        is_stuck=True,
        is_paused=False,
        is_open=True,
    )


def test_of_many_topics_the_largest_lag_and_all_losses_count():
    readings = {
        "a": Reading(figures=figures("a"), subscribers=[taken("x", lag=3, dropped=2), taken("y")]),
        "b": Reading(figures=figures("b"), subscribers=[taken("x", lag=9, dropped=5)]),
    }

    assert flow.of(readings) == {"x": Flow(None, 9, 7), "y": Flow(None, 0, 0)}


def test_rates_of_all_that_it_publishes_are_one():
    readings = {
        "a": Reading(figures=figures("a"), rate=2.0, writers=["x", "y"], subscribers=[taken("x")]),
        "b": Reading(figures=figures("b"), rate=None, writers=["x"]),
    }

    found = flow.of(readings)

    assert found == {"x": Flow(2.0, 0, 0), "y": Flow(2.0, None, 0)}
    assert [text(flow.rate(one)) for one in (found["x"], flow.NOTHING)] == ["2.0", "–"]


@pytest.mark.parametrize(
    ("one", "said"), [(Flow(), "–"), (Flow(lag=0), "0"), (Flow(lag=3, dropped=7), "3 7 lost")]
)
def test_what_was_lost_stands_below_the_lag(one, said):
    assert text(flow.behind(one)) == said


def test_it_takes_and_gives_what_its_reader_may_see(superuser, viewer, new_session, new_component):
    component = new_component(new_session("one"), "meter")
    own = str(component.pk)
    readings = {
        "book": Reading(figures=figures("book"), subscribers=[taken(own, lag=3), taken("other")]),
        "risk": Reading(figures=figures("risk"), rate=2.0, writers=[own]),
    }

    def shown(user) -> str:
        panel = component_streams.panel(principal(user), component, readings, now=timezone.now())
        return text(panel)

    assert "book receiving drop 3" in shown(superuser)
    assert "risk 2.0" in shown(superuser)
    assert "book" not in shown(viewer)


def test_what_happened_to_it_is_of_it_alone(superuser, new_session, new_component):
    session = new_session("one")
    component: Component = new_component(session, "meter")
    other = new_component(session, "other")
    for one in (component, other):
        ledger.append(
            session_id=session.pk,
            type="component.lost",
            actor="system:clock",
            component_id=str(one.pk),
            name=one.name,
        )

    found = timeline.of_component(session.pk, component.pk, limit=5)
    panel = component_streams.panel(principal(superuser), component, {}, now=timezone.now())

    assert [row.type for row in found] == ["component.lost"]
    assert "meter lost" in text(panel)
    assert "other" not in text(panel)
    assert flow.of_sessions([session.pk]) == {}
