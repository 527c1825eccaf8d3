"""What is known of a secret for a second, so that not every request asks for it."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aegis_project.kit import principal
from aegis_project.kit.errors import NotAuthenticated
from components import auth
from components.services import credentials
from components.services.credentials import Issued
from streaming import hints
from streaming.hints import Hint
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

SYSTEM = principal.system("tests")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    hints.deliver(Hint("moved"))
    yield
    hints.deliver(Hint("moved"))


def issue(*, lifetime: timedelta | None = None) -> Issued:
    team = factories.team("default")
    return credentials.issue(
        principal=SYSTEM,
        name=str(uuid4()),
        scopes=["sessions:read"],
        team_id=team.pk,
        lifetime=lifetime,
    )


def test_a_known_secret_asks_the_database_nothing():
    issued = issue()
    first = auth.of_secret(issued.secret, transport="rest")

    with CaptureQueriesContext(connection) as queries:
        again = auth.of_secret(issued.secret, transport="rest")

    assert again == first
    assert len(queries) == 0


def test_each_transport_is_known_by_itself():
    issued = issue()

    found = [auth.of_secret(issued.secret, transport=word).transport for word in ("rest", "a2a")]

    assert found == ["rest", "a2a"]


def test_a_revoked_credential_is_refused_at_once():
    issued = issue()
    auth.of_secret(issued.secret, transport="rest")

    credentials.revoke(principal=SYSTEM, credential=issued.credential.pk)

    with pytest.raises(NotAuthenticated):
        auth.of_secret(issued.secret, transport="rest")


def test_a_revoked_credential_is_refused_after_a_second_even_if_its_hint_is_lost(
    monkeypatch: pytest.MonkeyPatch,
):
    issued = issue()
    monkeypatch.setattr(auth, "KNOWN_SECONDS", 0.0)
    auth.of_secret(issued.secret, transport="rest")
    hints.unlisten(auth._forget)

    try:
        credentials.revoke(principal=SYSTEM, credential=issued.credential.pk)
        with pytest.raises(NotAuthenticated):
            auth.of_secret(issued.secret, transport="rest")
    finally:
        hints.listen(auth._forget)


def test_what_another_process_moved_is_asked_again():
    issued = issue()
    auth.of_secret(issued.secret, transport="rest")
    hints.deliver(Hint("moved"))

    with CaptureQueriesContext(connection) as queries:
        auth.of_secret(issued.secret, transport="rest")

    assert len(queries) == 1


def test_a_known_credential_ends_at_its_moment():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        issued = issue(lifetime=timedelta(minutes=1))
        auth.of_secret(issued.secret, transport="rest")
        clock.shift(60)

        with pytest.raises(NotAuthenticated):
            auth.of_secret(issued.secret, transport="rest")


def test_so_many_are_known_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(auth, "MOST_KNOWN", 2)
    issued = [issue() for _ in range(3)]

    for one in issued:
        auth.of_secret(one.secret, transport="rest")

    assert len(auth._known) == 1
