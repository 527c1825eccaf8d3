from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from aegis_project.database import run_db
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.jobs import Idle, end_unused
from sessions.models import Session
from sessions.selectors import agents, idleness
from sessions.services import lifecycle, runs
from streaming.hub import Hub
from streaming.node import Node
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)

IDLE = {"idle_minutes": 10}


def left_alone(session: Session, *, minutes: float = 11) -> Session:
    """The session, in which nothing was done for so long."""
    at = timezone.now() - timedelta(minutes=minutes)
    Session.objects.filter(pk=session.pk).update(last_activity_at=at)
    return session


def over() -> list[Any]:
    return idleness.over(now=timezone.now())


@pytest.mark.parametrize("state", [State.CREATED, State.RUNNING, State.PAUSED, State.FAILED])
def test_an_open_session_that_nobody_uses_is_over(state: State):
    made = left_alone(factories.session_in(state, config=IDLE))

    assert over() == [made.pk]


@pytest.mark.parametrize("config", [{}, {"idle_minutes": 0}, {"idle_minutes": "soon"}])
def test_without_a_limit_no_session_is_over(config: dict[str, Any]):
    left_alone(factories.session(config=config), minutes=1_000_000)

    assert over() == []


def test_a_session_that_was_used_in_time_or_is_closed_is_not():
    left_alone(factories.session(config=IDLE), minutes=9)
    left_alone(factories.session_in(State.COMPLETED, config=IDLE))

    assert over() == []


def test_the_setting_is_for_those_that_say_nothing(settings: Any):
    given = {"session_idle_minutes": 20}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=given)
    mine = left_alone(factories.session(), minutes=21)
    left_alone(factories.session(), minutes=19)
    left_alone(factories.session(config={"idle_minutes": 30}), minutes=21)

    assert over() == [mine.pk]


def test_whoever_takes_part_uses_a_session():
    held = factories.session(config=IDLE)
    factories.readied(held)
    starting = factories.session(config=IDLE, expected=[Expected(name="feed")])
    lifecycle.start(principal=OPERATOR, session=starting)
    working = factories.session(config=IDLE)
    agent = agents.find(OPERATOR, "assistant")
    runs.request(principal=OPERATOR, session=working, agent=agent)
    for one in (held, starting, working):
        left_alone(one)

    assert over() == []


def test_a_replay_that_goes_on_is_in_use():
    made = left_alone(factories.session_in(State.RUNNING, config=IDLE))
    Session.objects.filter(pk=made.pk).update(mode="historical")

    assert over() == []


def test_a_session_that_is_used_in_that_moment_is_not_ended():
    made = left_alone(factories.session(config=IDLE))
    left_alone(made, minutes=0)

    end_unused(session_id=made.pk)

    made.refresh_from_db()
    assert made.state == "created"


async def test_the_job_ends_what_is_over_and_says_why():
    made = await run_db(factories.session_in, State.RUNNING, config=IDLE)
    await run_db(left_alone, made)

    await Idle().run(Node(hub=Hub(), jobs=[]))

    await run_db(made.refresh_from_db)
    assert (made.state, made.reason) == ("ended", "idle")
