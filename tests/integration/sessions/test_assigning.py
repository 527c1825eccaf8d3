import pytest
from django.contrib.auth.models import Group, User

from sessions.core.lifecycle import State
from sessions.core.policy import Who
from sessions.selectors import timeline
from sessions.services import approvals, assigning
from streaming.models import AuditEntry, Event
from tests import asking, factories
from tests.calling import Caller, code

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

ASSIGN = "/api/v1/sessions/k/assign"


@pytest.fixture
def ann() -> User:
    """A person of the team of the sessions."""
    user = User.objects.create_user("ann")
    user.groups.add(Group.objects.get_or_create(name="default")[0])
    return user


def test_a_session_is_given_to_somebody_of_its_team(program: Caller, ann: User):
    row = factories.session(key="k")

    done = program.post(ASSIGN, {"owner": "ann", "reason": "night shift"})

    assert (done.status_code, done.json()["owner"], done.json()["owner_label"]) == (
        200,
        "ann",
        "ann",
    )
    assert done.json()["version"] == row.version + 1
    told = Event.objects.filter(log__session=row, type="session.updated").get()
    assert timeline.body(told)["data"] == {"fields": ["owner", "owner_label"]}
    entry = AuditEntry.objects.get(command="session.assign", outcome="ok")
    assert (entry.session_id, entry.detail["to"], entry.detail["reason"]) == (
        row.pk,
        "ann",
        "night shift",
    )


def test_a_session_is_given_to_the_team(program: Caller, ann: User):
    factories.session(key="k")
    program.post(ASSIGN, {"owner": "ann"})

    done = program.post(ASSIGN, {"owner": "shared"})

    assert (done.json()["owner"], done.json()["owner_label"]) == (None, "shared")


def test_whose_it_is_already_changes_nothing(ann: User):
    row = factories.session(key="k")
    first = assigning.assign(principal=factories.OPERATOR, session=row, owner="ann")

    again = assigning.assign(principal=factories.OPERATOR, session=row, owner="ann")

    assert (first.is_changed, again.is_changed) == (True, False)
    assert again.session.version == first.session.version


@pytest.mark.parametrize("owner", ["nobody", "stranger", "gone", "a\tb"])
def test_only_somebody_of_the_team_can_be_its_owner(program: Caller, ann: User, owner: str):
    factories.session(key="k")
    User.objects.create_user("stranger").groups.add(Group.objects.create(name="others"))
    gone = User.objects.create_user("gone", is_active=False)
    gone.groups.add(ann.groups.get())

    refused = program.post(ASSIGN, {"owner": owner})

    assert code(refused) == (400, "VALIDATION_ERROR")
    assert "has nobody of this name" in refused.json()["error"]["message"]


def test_a_closed_session_keeps_its_owner(program: Caller, ann: User):
    factories.session_in(State.ENDED, key="k")

    refused = program.post(ASSIGN, {"owner": "ann"})

    assert code(refused)[1] == "INVALID_STATE"


def test_a_session_is_not_given_away_before_a_decision_that_its_owner_may_not_make(
    program: Caller, ann: User
):
    row = factories.session(key="k")
    waits = asking.approval(asking.run(row), who=Who(not_owner=True))

    refused = program.post(ASSIGN, {"owner": "ann"})
    waits.who = {}
    waits.save()
    approvals.decide(principal=factories.OPERATOR, approval=waits, approved=False)
    done = program.post(ASSIGN, {"owner": "ann"})

    assert code(refused)[1] == "INVALID_STATE"
    assert "may not make" in refused.json()["error"]["message"]
    assert done.json()["owner"] == "ann"


def test_sessions_are_given_at_the_command_line_here_and_there(anywhere, ann: User):
    factories.session(key="one")
    factories.session(key="two")

    done = anywhere("session", "assign", "one", "none", "--to", "ann", "--json")
    shown = anywhere("session", "assign", "two", "--to", "shared")
    refused = anywhere("session", "assign", "two", "--to", "nobody")

    assert [one["owner"] for one in done.document["data"]] == ["ann"]
    assert (done.code, list(done.document["meta"]["refused"])) == (7, ["none"])
    assert shown.out.splitlines()[1].split() == ["two", "○", "created", "shared", "default"]
    assert (refused.code, refused.out) == (2, "")
