from typing import Any
from uuid import uuid4

import pytest

from aegis_project.kit.errors import ValidationFailed
from components.core.errors import ComponentNotFound
from components.core.lifecycle import Role, State
from components.core.messages import Proto
from components.models import Component
from components.services import registry
from components.services.registry import Expected
from sessions.core import lifecycle as sessions_core
from sessions.core.errors import SessionNotFound
from sessions.models import Session
from sessions.services import lifecycle
from streaming.core.errors import SessionOver, UnknownTopic
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


def register(session: Session, *, as_: Component | None = None, **said: Any) -> Component:
    return registry.register(
        principal=factories.bearer(session, component=as_),
        registration=factories.registration(**said),
        lease_id=None,
    )


def component(session: Session, name: str, state: State = State.PENDING) -> Component:
    return Component.objects.create(session=session, name=name, state=state.value)


def found(session: Session, name: str) -> Component:
    return Component.objects.get(session=session, name=name)


# Who a register is


def test_a_register_with_an_id_is_that_component():
    session = factories.session(expected=[Expected(name="a"), Expected(name="b")])
    b = found(session, "b")

    assert register(session, component_id=str(b.pk), name="a") == b


@pytest.mark.parametrize("state", State)
def test_a_register_with_an_id_takes_the_place_of_whoever_has_it(state: State):
    session = factories.session()
    row = component(session, "feed", state)

    taken = register(session, component_id=str(row.pk))

    assert (taken.pk, taken.state, taken.fence) == (row.pk, "registered", row.fence + 1)


def test_a_register_with_an_id_of_nobody_or_of_another_session_is_refused():
    session, other = factories.session(), factories.session()
    foreign = component(other, "feed")

    for wanted in (str(uuid4()), str(foreign.pk), "nonsense"):
        with pytest.raises(ComponentNotFound) as refusal:
            register(session, component_id=wanted)
        assert refusal.value.details == {"component_id": wanted}
    foreign.refresh_from_db()
    assert foreign.state == "pending"


@pytest.mark.parametrize("state", [State.PENDING, State.STOPPED, State.FAILED, State.LOST])
def test_a_register_with_a_name_is_the_component_of_that_name_that_is_not_connected(state: State):
    session = factories.session()
    component(session, "first")
    feed = component(session, "feed", state)

    assert register(session, name="feed") == feed


@pytest.mark.parametrize("state", [State.REGISTERED, State.READY, State.RUNNING])
def test_a_name_that_somebody_connected_has_gets_a_number(state: State):
    session = factories.session()
    component(session, "feed", state)
    component(session, "feed-2", state)

    newcomer = register(session, name="feed")

    assert (newcomer.name, newcomer.required, newcomer.fence) == ("feed-3", False, 1)


def test_a_register_without_name_takes_the_first_place_of_the_most_wanted_state():
    session = factories.session()
    for name, state in [
        ("connected", State.RUNNING),
        ("lost", State.LOST),
        ("failed", State.FAILED),
        ("stopped", State.STOPPED),
        ("pending-1", State.PENDING),
        ("pending-2", State.PENDING),
    ]:
        component(session, name, state)

    taken = [register(session).name for _ in range(6)]

    assert taken == ["pending-1", "pending-2", "stopped", "failed", "lost", "component-7"]


def test_a_register_for_which_there_is_no_place_is_a_new_optional_component():
    session = factories.session()

    first, named = register(session), register(session, name="extra", role=Role.TOOL)

    assert [(one.name, one.role, one.required, one.state) for one in (first, named)] == [
        ("component-1", "observer", False, "registered"),
        ("extra", "tool", False, "registered"),
    ]
    session.refresh_from_db()
    assert session.component_count == 2


def test_a_token_of_one_component_is_that_component_and_no_other():
    session = factories.session(expected=[Expected(name="a"), Expected(name="b")])
    a, b = found(session, "a"), found(session, "b")

    assert register(session, as_=b, name="a") == b
    with pytest.raises(ComponentNotFound):
        register(session, as_=b, component_id=str(a.pk))


@pytest.mark.parametrize("name", [" ", "a\nb", "x" * 129])
def test_a_newcomer_needs_a_name_that_can_be(name: str):
    session = factories.session()

    with pytest.raises(ValidationFailed):
        register(session, name=name)

    assert not Component.objects.exists()


# What a register changes


def test_a_register_says_what_the_component_is():
    session = factories.session(expected=[Expected(name="feed", topics=("trades.BTC",))])
    lease = factories.lease()

    registry.register(
        principal=factories.bearer(session),
        registration=factories.registration(
            name="feed",
            role=Role.FEED,
            topics=("klines.BTC.1m", "klines.ETH.1m"),
            version="1.2",
            capabilities={"replay": True},
            proto=Proto(v=1, batch=True, window=100),
        ),
        lease_id=lease.pk,
    )

    row = found(session, "feed")
    assert (row.role, row.topics, row.version, row.capabilities, row.proto, row.lease) == (
        "feed",
        ["klines.BTC.1m", "klines.ETH.1m"],
        "1.2",
        {"replay": True},
        {"v": 1, "batch": True, "window": 100},
        lease,
    )
    assert row.registered_at is not None
    assert row.last_heartbeat_at == row.registered_at


def test_what_a_register_leaves_out_stays_as_it_was_declared():
    session = factories.session(
        expected=[Expected(name="feed", role=Role.FEED, topics=("trades.BTC",))]
    )

    register(session, name="feed")

    row = found(session, "feed")
    assert (row.role, row.required, row.topics) == ("feed", True, ["trades.BTC"])


def test_a_register_forgets_the_connection_before():
    session = factories.session()
    factories.readied(session, "feed")
    Component.objects.update(is_late=True)

    row = register(session, component_id=str(found(session, "feed").pk))

    assert (row.is_data_connected, row.is_late, row.ready_at, row.identified_at) == (
        False,
        False,
        None,
        None,
    )


def test_every_register_has_a_higher_fence():
    session = factories.session(expected=[Expected(name="feed")])
    wanted = str(found(session, "feed").pk)

    fences = [register(session, component_id=wanted).fence for _ in range(3)]

    assert fences == [1, 2, 3]


def test_a_register_is_told_with_its_fence():
    session = factories.session()

    row = register(session, name="feed", topics=("trades.BTC",))

    assert factories.told(session)[-1] == (
        "component.registered",
        {
            "component_id": str(row.pk),
            "name": "feed",
            "role": "observer",
            "topics": ["trades.BTC"],
            "fence": 1,
        },
    )
    assert factories.ledger(session)[-1].actor == "component:feed"


@pytest.mark.parametrize("topic", ["no topic", "a..b", "", "trades.*.**.x", "x" * 201])
def test_a_malformed_topic_is_refused(topic: str):
    session = factories.session()

    with pytest.raises(UnknownTopic):
        register(session, topics=("trades.BTC", topic))

    assert not Component.objects.exists()


def test_a_topic_outside_the_tokens_patterns_is_refused_by_name():
    session = factories.session()
    narrow = factories.narrowed(factories.bearer(session), "trades.*")

    with pytest.raises(UnknownTopic) as refusal:
        registry.register(
            principal=narrow,
            registration=factories.registration(topics=("trades.BTC", "klines.BTC.1m")),
            lease_id=None,
        )

    assert refusal.value.details == {"topic": "klines.BTC.1m"}


# Which sessions take components


@pytest.mark.parametrize("state", sessions_core.State)
def test_components_register_in_every_open_state(state: sessions_core.State):
    session = factories.session_in(state)

    if state in sessions_core.OPEN:
        assert register(session).state == "registered"
    else:
        with pytest.raises(SessionOver) as refusal:
            register(session)
        assert refusal.value.details == {"session": session.key, "state": state}


def test_nobody_registers_with_a_deleted_session():
    session = factories.session()
    lifecycle.delete(principal=OPERATOR, session=session)

    with pytest.raises(SessionNotFound):
        register(session)
