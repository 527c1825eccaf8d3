import pytest

from components.core.programs import Draft
from components.models import Component
from components.services import launches, programs
from components.services.registry import Expected
from sessions.services import lifecycle
from tests import factories
from tests.calling import Caller, caller
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

LINE = {"ts": 1, "stream": "stdout", "line": "x"}


@pytest.fixture
def address() -> str:
    """The log of a component whose launch a launcher took with fence 1."""
    programs.define(principal=OPERATOR, draft=Draft(name="feed", argv=("feed",)))
    session = factories.session(expected=[Expected(name="prices", program="feed")])
    lifecycle.start(principal=OPERATOR, session=session)
    launches.take(lease_id=factories.lease().pk, host="here", patience_seconds=1)
    return f"/api/v1/components/{Component.objects.get().pk}/log"


def test_nobody_but_a_launcher_brings_lines(address: str):
    answer = caller().post(address, {"fence": 1, "lines": [LINE]})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"fence": 2, "lines": [LINE]}, "LAUNCH_LOST"),
        ({"fence": 1, "lines": []}, "VALIDATION_ERROR"),
        ({"fence": 1, "lines": [{**LINE, "stream": "elsewhere"}]}, "VALIDATION_ERROR"),
    ],
)
def test_a_launcher_that_lost_it_or_says_nonsense_is_refused(address: str, order, code):
    launcher = Caller(launches.credential().secret)

    assert launcher.post(address, order).json()["error"]["code"] == code


def test_a_session_that_is_over_takes_no_lines(address: str):
    lifecycle.end(principal=OPERATOR, session=Component.objects.get().session)
    launcher = Caller(launches.credential().secret)

    answer = launcher.post(address, {"fence": 1, "lines": [LINE]})

    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "SESSION_OVER")


def test_a_secret_of_a_launcher_opens_nothing_else(address: str):
    launcher = Caller(launches.credential().secret)

    assert launcher.get("/api/v1/sessions").status_code == 403
    assert launcher.get("/api/v1/components").status_code == 403
