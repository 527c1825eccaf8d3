"""Pages of lists cost the same queries however much there is (BR1; how long they take is measured)."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions.core.conversation import Role
from sessions.models import Session
from sessions.services import messages
from streaming.services import ledger
from tests import factories
from tests.integration.access import routes

PAGE = {"Accept": "text/html"}
MANY = 400
# A file, an answer without an end, what must be asked for with words of its own, and the clock,
# which a replay alone has.
OTHERS = {
    *("search", "session-search", "statistics-export", "audit-export", "session-stream"),
    *("session-compare", "sandbox-content", "session-clock"),
}
LISTS = sorted(
    {
        (one.address, one.name)
        for one in routes.http()
        if one.verb == "GET"
        and one.address.startswith("api/v1/")
        and one.address.count("<") == one.address.count("<str:session>")
        and one.name not in OTHERS
    }
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(django_user_model) -> Client:
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client


@pytest.fixture
def session() -> Session:
    return fill(factories.session(key="desk"), 2)


def fill(session: Session, count: int) -> Session:
    """Tell and say so much in a session."""
    told = [("session.updated", {"fields": ["context"], "n": n}) for n in range(count)]
    ledger.extend(session_id=session.pk, actor="user:1", told=told)
    for number in range(min(count, 20)):
        messages.append(session, role=Role.USER, content=f"Said {number}.", author="user:1")
    return session


def costs(browser: Client, address: str) -> tuple[int, int]:
    """How an address answers, and in how many queries."""
    with CaptureQueriesContext(connection) as asked:
        answer = browser.get(address, headers=PAGE)
    return answer.status_code, len(asked)


@pytest.mark.parametrize(("address", "name"), LISTS, ids=[name for _, name in LISTS])
def test_br1_page_costs_the_same_queries_however_many_events_there_are(
    browser: Client, session: Session, address: str, name: str
):
    place = f"/{address.replace('<str:session>', 'desk')}"
    costs(browser, place)
    few = costs(browser, place)
    fill(session, MANY)
    for number in range(5):
        fill(factories.session(key=f"other-{number}"), 3)

    many = costs(browser, place)

    assert few[0] == 200, few
    assert many == few
