import pytest

from components.core.scopes import SCOPES
from components.models import Program
from tests import factories
from tests.calling import Caller, caller
from tests.calling import code as status_and_code

pytestmark = pytest.mark.django_db

PROGRAMS = "/api/v1/programs"
SESSIONS = "/api/v1/sessions"
ORDER = {"name": "feed", "argv": ["python", "feed.py"], "environment": {"KEY": "secret"}}


def code(answer) -> str:
    return status_and_code(answer)[1]


@pytest.fixture
def admin() -> Caller:
    return caller()


def test_an_administrator_defines_changes_and_removes_a_program(admin: Caller):
    made = admin.post(PROGRAMS, {**ORDER, "restart": "always", "stop_grace_seconds": 3})
    changed = admin.patch(f"{PROGRAMS}/feed", {"argv": ["true"], "team": "default"})
    listed = admin.get(PROGRAMS).json()["data"]
    removed = admin.delete(f"{PROGRAMS}/{made.json()['id']}")

    assert made.status_code == 201
    assert made.json()["environment"] == {"KEY": "secret"}
    assert (made.json()["restart"], made.json()["stop_grace_seconds"]) == ("always", 3.0)
    assert (changed.json()["argv"], changed.json()["team"]) == (["true"], "default")
    assert listed == [changed.json()]
    assert removed.status_code == 204
    assert code(admin.get(f"{PROGRAMS}/feed")) == "PROGRAM_NOT_FOUND"


def test_who_may_only_read_sees_no_value_and_writes_nothing(admin: Caller):
    admin.post(PROGRAMS, ORDER)
    reader = caller(sorted(SCOPES - {"programs:write"}))

    seen = reader.get(f"{PROGRAMS}/feed").json()

    assert (seen["argv"], seen["environment"]) == (["python", "feed.py"], {"KEY": "***"})
    assert code(reader.post(PROGRAMS, {**ORDER, "name": "x"})) == "PERMISSION_DENIED"
    assert code(reader.patch(f"{PROGRAMS}/feed", {"argv": ["sh"]})) == "PERMISSION_DENIED"
    assert code(reader.delete(f"{PROGRAMS}/feed")) == "PERMISSION_DENIED"
    assert code(caller(["sessions:read"]).get(PROGRAMS)) == "PERMISSION_DENIED"
    assert Program.objects.get().argv == ["python", "feed.py"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"argv": []},
        {"argv": "python"},
        {"name": "two words"},
        {"restart": "sometimes"},
        {"environment": {"AEGIS_URL": "x"}},
        {"environment": {"A": 1}},
        {"directory": "relative"},
        {"backoff_seconds": 0},
        {"shell": True},
    ],
)
def test_what_cannot_be_is_refused(admin: Caller, wrong):
    assert code(admin.post(PROGRAMS, {**ORDER, **wrong})) == "VALIDATION_ERROR"


def test_a_component_shows_its_program_and_launch(admin: Caller):
    admin.post(PROGRAMS, ORDER)
    components = [{"name": "prices", "program": "feed", "required": False}, "other"]
    made = admin.post(SESSIONS, {"key": "k", "components": components})
    before = admin.get(f"{SESSIONS}/k/components/prices").json()

    admin.post(f"{SESSIONS}/k/start")

    assert made.status_code == 201
    assert (before["program"], before["launch"]) == ("feed", None)
    prices, other = admin.get(f"{SESSIONS}/k/components").json()["data"]
    assert (prices["program"], other["program"], other["launch"]) == ("feed", None, None)
    assert prices["launch"] == {
        "state": "waiting",
        "is_wanted": True,
        "host": "",
        "pid": None,
        "attempt": 0,
        "restarts": 0,
        "next_at": None,
        "started_at": None,
        "ended_at": None,
        "exit_code": None,
        "error": "",
    }
    alone = admin.get(f"/api/v1/components/{prices['id']}").json()
    assert alone == {**prices, "cursors": []}


def test_a_program_that_there_is_not_is_not_attached(admin: Caller):
    factories.session(key="k")

    answer = admin.post(f"{SESSIONS}/k/attach", {"components": [{"name": "a", "program": "x"}]})

    assert code(answer) == "PROGRAM_NOT_FOUND"
