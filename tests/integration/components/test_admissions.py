from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from aegis_project.kit.seat import Seat
from components.core.errors import ComponentAmbiguous, ComponentNotFound
from components.core.messages import Proto
from components.core.tokens import Expiry
from components.models import Component, Credential
from components.services import admissions, credentials
from components.services.registry import Expected
from sessions.core.lifecycle import Mode
from sessions.models import Session
from sessions.services import creation, lifecycle
from streaming.core.errors import (
    ConnectionForbidden,
    PartnerLost,
    SessionGone,
    SessionOver,
    TokenExpired,
    TokenInvalid,
)
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

# The id of no session and no component.
NOBODY = "5f2f0d9e-6a0b-4d5c-9d52-0c1f5d0f6c11"
ENTRANCES = ["register", "refresh", "hello"]


@pytest.fixture
def session() -> Session:
    return factories.session(expected=[Expected(name="feed"), Expected(name="sink")])


def token(session: Session, **said: Any) -> str:
    issued = credentials.session_token(
        principal=OPERATOR, session_id=session.pk, team_id=session.team_id, **said
    )
    return issued.secret


def come_in(entrance: str, secret: str, component: Component, *, is_open: bool = False) -> Any:
    """Show a secret at one of the three places where a component does."""
    match entrance:
        case "register":
            register = factories.registration(session_token=secret, component_id=str(component.pk))
            return admissions.admit(register=register, lease_id=None, is_open=is_open)
        case "refresh":
            return admissions.renew(secret=secret, component_id=str(component.pk), is_open=is_open)
        case _:
            hello = {"session_token": secret, "component_id": str(component.pk)}
            return admissions.take_seat(hello=hello, is_open=is_open)


# Tokens, at every entrance


def revoked(session: Session) -> str:
    issued = creation.issue_token(principal=OPERATOR, session=session)
    credentials.revoke(principal=OPERATOR, credential=issued.credential.pk)
    return issued.secret


def expired(session: Session) -> str:
    return token(session, lifetime=timedelta(seconds=-1))


def of_no_session(session: Session) -> str:
    return credentials.issue(
        principal=OPERATOR, name="robot", scopes=["topics:read"], team_id=session.team_id
    ).secret


REFUSED: list[tuple[Callable[[Session], str], type[Exception]]] = [
    (lambda _: "", TokenInvalid),
    (lambda _: "nonsense", TokenInvalid),
    (lambda session: str(session.pk), TokenInvalid),
    (revoked, TokenInvalid),
    (expired, TokenExpired),
    (of_no_session, ConnectionForbidden),
]


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize(("secret", "error"), REFUSED)
def test_a_secret_that_opens_nothing_is_refused_at_every_entrance(
    session: Session, entrance: str, secret: Callable[[Session], str], error: type[Exception]
):
    feed = factories.joined(session, "feed")
    before = Component.objects.filter(pk=feed.pk).values().get()

    with pytest.raises(error):
        come_in(entrance, secret(session), feed)

    assert Component.objects.filter(pk=feed.pk).values().get() == before


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_a_token_of_a_deleted_session_opens_nothing(session: Session, entrance: str):
    feed, secret = factories.joined(session, "feed"), token(session)
    lifecycle.delete(principal=OPERATOR, session=session)

    with pytest.raises(SessionGone):
        come_in(entrance, secret, feed)


@pytest.mark.parametrize("entrance", ["register", "hello"])
def test_a_closed_session_sends_its_components_away_for_good(session: Session, entrance: str):
    feed, secret = factories.joined(session, "feed"), token(session)
    lifecycle.end(principal=OPERATOR, session=session)

    with pytest.raises(SessionOver):
        come_in(entrance, secret, feed)


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_a_token_of_another_session_opens_nothing_here(session: Session, entrance: str):
    feed = factories.joined(session, "feed")
    foreign = token(factories.session())
    expected = ConnectionForbidden if entrance == "refresh" else ComponentNotFound

    with pytest.raises(expected):
        come_in(entrance, foreign, feed)


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_a_token_of_another_component_opens_nothing_here(session: Session, entrance: str):
    feed = factories.joined(session, "feed")
    foreign = token(session, component="sink")
    expected = ConnectionForbidden if entrance == "refresh" else ComponentNotFound

    with pytest.raises(expected):
        come_in(entrance, foreign, feed)


# Open mode


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_in_open_mode_the_id_of_a_session_is_its_token(session: Session, entrance: str):
    feed = factories.joined(session, "feed")

    come_in(entrance, str(session.pk), feed, is_open=True)


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_in_open_mode_a_token_is_a_token_still(session: Session, entrance: str):
    feed = factories.joined(session, "feed")

    come_in(entrance, token(session), feed, is_open=True)
    with pytest.raises(TokenExpired):
        come_in(entrance, expired(session), feed, is_open=True)


@pytest.mark.parametrize("entrance", ENTRANCES)
@pytest.mark.parametrize("secret", ["", "nonsense", NOBODY])
def test_in_open_mode_nonsense_opens_nothing(session: Session, entrance: str, secret: str):
    feed = factories.joined(session, "feed")

    with pytest.raises(TokenInvalid):
        come_in(entrance, secret, feed, is_open=True)


def test_in_open_mode_a_deleted_session_has_no_token(session: Session):
    feed = factories.joined(session, "feed")
    lifecycle.delete(principal=OPERATOR, session=session)

    with pytest.raises(TokenInvalid):
        come_in("hello", str(session.pk), feed, is_open=True)


# Registering


def test_an_admission_says_who_the_component_became(session: Session):
    secret = token(session)
    register = factories.registration(
        session_token=secret, name="feed", topics=("trades.BTC",), proto=Proto()
    )
    lease = factories.lease()

    admission, fence = admissions.admit(register=register, lease_id=lease.pk, is_open=False)

    row = Component.objects.get(name="feed")
    assert (admission.component_id, admission.name, admission.session_id, admission.topics) == (
        str(row.pk),
        "feed",
        str(session.pk),
        ("trades.BTC",),
    )
    assert (fence, admission.expiry) == (1, None)
    assert (row.lease, row.token) == (lease, credentials.look_up(secret))


def test_an_admission_says_when_the_token_ends(session: Session):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        secret = token(session, lifetime=timedelta(minutes=5))
        ends_at_ms = (timezone.now() + timedelta(minutes=5)).timestamp() * 1000

        admission, _ = admissions.admit(
            register=factories.registration(session_token=secret), lease_id=None, is_open=False
        )

    assert admission.expiry == Expiry(at_ms=round(ends_at_ms), in_seconds=300)


def test_a_new_token_follows_the_old_one(session: Session):
    feed = factories.joined(session, "feed")
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        secret = token(session, lifetime=timedelta(minutes=5), component="feed")

        expiry = admissions.renew(secret=secret, component_id=str(feed.pk), is_open=False)

    feed.refresh_from_db()
    assert expiry is not None
    assert expiry.in_seconds == 300
    assert feed.token == credentials.look_up(secret)


# Hello


def hello(session: Session, **said: Any) -> Seat:
    return admissions.take_seat(hello={"session_token": token(session)} | said, is_open=False)


def test_a_seat_says_all_that_the_data_socket_must_know():
    session = factories.session(mode=Mode.HISTORICAL)
    feed = factories.registered(
        session, "feed", topics=("trades.BTC",), proto=Proto(batch=True, window=50)
    )
    secret = token(session, patterns=["trades.*"])

    seat = admissions.take_seat(
        hello={"session_token": secret, "component_id": str(feed.pk)}, is_open=False
    )

    assert seat == Seat(
        component_id=str(feed.pk),
        session_id=str(session.pk),
        name="feed",
        patterns=("trades.*",),
        topics=("trades.BTC",),
        fence=1,
        is_historical=True,
        extended=True,
        batch=True,
        window=50,
        token_id=str(Credential.objects.get().pk),
    )
    feed.refresh_from_db()
    assert feed.is_data_connected


def test_a_seat_has_a_token_of_its_own_only_where_its_component_has_another(session: Session):
    feed, sink = (factories.registered(session, name) for name in ("feed", "sink"))
    secret = token(session)
    Component.objects.filter(pk=sink.pk).update(token=Credential.objects.get())

    seats = [
        admissions.take_seat(
            hello={"session_token": secret, "component_id": str(one.pk)}, is_open=False
        )
        for one in (feed, sink)
    ]

    assert [seat.token_id for seat in seats] == [str(Credential.objects.get().pk), ""]


def test_a_seed_client_has_a_plain_seat(session: Session):
    feed = factories.registered(session, "feed")

    seat = hello(session, component_id=str(feed.pk))

    assert (seat.extended, seat.batch, seat.window, seat.is_historical) == (
        False,
        False,
        0,
        False,
    )


def test_without_an_id_the_only_one_that_waits_is_meant(session: Session):
    factories.joined(session, "sink")
    feed = factories.registered(session, "feed")

    assert hello(session).component_id == str(feed.pk)


def test_without_an_id_two_that_wait_are_ambiguous(session: Session):
    factories.registered(session, "feed")
    factories.registered(session, "sink")

    with pytest.raises(ComponentAmbiguous):
        hello(session)


def test_without_an_id_nobody_who_waits_is_a_lost_partner(session: Session):
    factories.joined(session, "feed")

    with pytest.raises(PartnerLost):
        hello(session)


def test_a_token_of_one_component_needs_no_id(session: Session):
    factories.registered(session, "sink")
    feed = factories.registered(session, "feed")
    secret = token(session, component="feed")

    seat = admissions.take_seat(hello={"session_token": secret}, is_open=False)

    assert seat.component_id == str(feed.pk)


def test_an_id_may_be_written_in_any_form_of_a_uuid(session: Session):
    feed = factories.registered(session, "feed")
    secret = token(session, component="feed")

    seat = admissions.take_seat(
        hello={"session_token": secret, "component_id": str(feed.pk).upper()}, is_open=False
    )

    assert seat.component_id == str(feed.pk)


@pytest.mark.parametrize("component_id", [NOBODY, "nonsense", 7, ["feed"]])
def test_an_id_of_nobody_is_refused(session: Session, component_id: Any):
    factories.registered(session, "feed")

    with pytest.raises(ComponentNotFound):
        hello(session, component_id=component_id)


def test_a_component_without_control_socket_takes_no_seat(session: Session):
    feed = Component.objects.get(name="feed")

    with pytest.raises(PartnerLost):
        hello(session, component_id=str(feed.pk))


def test_a_second_hello_of_a_component_takes_the_seat_again(session: Session):
    feed = factories.joined(session, "feed")

    assert hello(session, component_id=str(feed.pk)).fence == feed.fence
