"""Approvals that are left to somebody else: a person or a role, who could decide on them."""

import pytest
from django.contrib.auth.models import Permission, User

from aegis_project.kit.errors import AegisError, NotFound, ValidationFailed
from aegis_project.kit.principal import Principal
from components import auth
from components.services import roles
from sessions.core.errors import ApprovalAlreadyDecided, ApprovalNotFound
from sessions.core.policy import Who
from sessions.models import Approval, Session
from sessions.selectors import approvals as reading
from sessions.services import approvals, handing
from streaming.models import AuditEntry
from tests import asking, factories
from tests.calling import caller, code
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return factories.session(key="desk")


def person(name: str, session: Session, role: str = "approver") -> Principal:
    """Somebody of the team of a session, in a role."""
    user = User.objects.create_user(name)
    user.groups.add(session.team)
    roles.give(principal=OPERATOR, user=name, role=role)
    return auth.of_user(User.objects.get(pk=user.pk), transport="test")


@pytest.mark.parametrize("to", ["ben", "user:ben", "role:approver"])
def test_what_is_handed_over_is_with_who_it_was_left_to(session: Session, to: str):
    ana, ben = person("ana", session), person("ben", session)
    approval = asking.approval(asking.run(session))

    row = handing.hand_over(principal=ana, approval=approval, to=to).approval

    wanted = to if ":" in to else f"user:{to}"
    told = factories.told(session)[-1]
    entry = AuditEntry.objects.latest("pk")
    assert (row.claimed_by, row.version) == (wanted, approval.version + 1)
    assert (told[0], told[1]["by"], told[1]["handed_by"]) == (
        "approval.claimed",
        wanted,
        "user:ana",
    )
    assert (entry.command, entry.detail["to"]) == ("approval.hand_over", wanted)
    assert wanted in reading.names(ben)
    decided = approvals.decide(principal=ana, approval=approval, approved=False).approval
    assert decided.state == "rejected"


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("nobody", NotFound),
        ("stranger", NotFound),
        ("gone", NotFound),
        ("a\x00b", NotFound),
        ("vera", ValidationFailed),
        ("ana", ValidationFailed),
        ("role:viewer", ValidationFailed),
        ("role:king", ValidationFailed),
        ("agent:trader", ValidationFailed),
    ],
)
def test_who_could_not_decide_is_left_nothing(session: Session, to: str, error: type[AegisError]):
    ana, _ = person("ana", session), person("vera", session, "viewer")
    User.objects.create_user("stranger", is_staff=True)
    person("gone", session)
    User.objects.filter(username="gone").update(is_active=False)
    approval = asking.approval(asking.run(session, by=ana), who=Who(four_eyes=True))

    with pytest.raises(error):
        handing.hand_over(principal=OPERATOR, approval=approval, to=to)

    assert Approval.objects.get().claimed_by == ""


def test_what_is_decided_or_out_of_sight_is_handed_to_nobody(session: Session):
    person("ben", session)
    approval = asking.approval(asking.run(session))
    stranger = factories.member(factories.team("elsewhere"))

    with pytest.raises(ApprovalNotFound):
        handing.hand_over(principal=stranger, approval=approval, to="ben")
    approvals.decide(principal=OPERATOR, approval=approval, approved=False)
    with pytest.raises(ApprovalAlreadyDecided):
        handing.hand_over(principal=OPERATOR, approval=approval, to="ben")


def test_receivers_are_the_others_of_the_team_who_may_decide(session: Session):
    ana = person("ana", session)
    person("ben", session)
    person("vera", session, "viewer")
    chief = User.objects.create_superuser("chief")
    elsewhere = User.objects.create_user("elsewhere")
    elsewhere.user_permissions.add(Permission.objects.get(codename="decide_approval"))
    approval = asking.approval(asking.run(session))

    assert reading.receivers(approval, ana) == ["ben", chief.username]


def test_a_hand_over_is_asked_for_over_http(session: Session):
    program = caller(["approvals:decide", "approvals:read"])
    person("ben", session)
    approval = asking.approval(asking.run(session))
    address = f"/api/v1/approvals/{approval.pk}/claim"

    handed = program.post(address, {"to": "ben"})
    nobody = program.post(address, {"to": "zoe"})
    both = program.post(address, {"to": "ben", "release": True})
    to_all = program.post(address, {"to": "role:approver"})
    mine = program.get("/api/v1/approvals?mine=true").json()["data"]

    assert (handed.status_code, handed.json()["claimed_by"]) == (200, "user:ben")
    assert code(nobody) == (404, "NOT_FOUND")
    assert code(both) == (400, "VALIDATION_ERROR")
    assert to_all.json()["claimed_by"] == "role:approver"
    assert [one["id"] for one in mine] == [str(approval.pk)]
