import json

import pytest
from django.contrib.auth.models import User

from components import auth
from components.core.scopes import ROLES
from streaming.models import AuditEntry
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def olga() -> User:
    return User.objects.create_user("olga")


def scopes(name: str = "olga") -> frozenset[str]:
    return auth.of_user(User.objects.get(username=name), transport="test").scopes


def test_a_role_is_given_listed_and_taken(aegis):
    desk = factories.team("desk")

    given = aegis("role", "give", "olga", "operator", "--team", "desk", "--json").document["data"]
    row = User.objects.get(username="olga")
    teams = list(row.groups.all())
    listed = aegis("role", "list").out.splitlines()[1].split()
    may = scopes()
    taken = aegis("role", "take", "olga", "operator", "--team", "desk")

    # Whoever may do all that a viewer may is one, too.
    assert given == {"user": "olga", "roles": ["viewer", "operator"], "teams": ["desk"]}
    assert (row.is_staff, teams) == (True, [desk])
    assert listed == ["olga", "viewer", "operator", "desk"]
    assert {"sessions:control", "messages:write", "credentials:write"} <= may
    assert not {"approvals:decide", "policies:write", "agents:write", "audit:read"} & may
    assert taken.out.strip() == "olga: viewer; teams: none"
    assert "sessions:control" not in scopes()


def test_what_another_role_gives_stays(aegis):
    aegis("role", "give", "olga", "viewer")
    aegis("role", "give", "olga", "approver")

    aegis("role", "take", "olga", "approver")

    assert "approvals:read" in scopes()
    assert "approvals:decide" not in scopes()


def test_an_approver_sees_what_is_decided_on_and_nothing_else(aegis):
    aegis("role", "give", "olga", "approver")

    assert scopes() == {"approvals:read", "approvals:decide"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["give", "nobody", "viewer"], 3),
        (["give", "olga", "king"], 2),
        (["give", "olga", "viewer", "--team", "none"], 3),
        (["take", "olga"], 2),
    ],
)
def test_what_cannot_be_is_refused(aegis, words: list[str], code: int):
    assert aegis("role", *words).code == code
    assert scopes() == frozenset()


def test_only_administrators_give_roles(aegis):
    for role in ROLES:
        aegis("role", "give", "olga", role)

    refused = aegis("role", "give", "olga", "viewer", "--as", "olga")
    unseen = aegis("role", "list", "--as", "olga")

    assert (refused.code, unseen.code) == (4, 4)
    last = AuditEntry.objects.latest("pk")
    assert (last.command, last.outcome) == ("role.give", "refused")
    assert last.actor.startswith("user:olga")


def test_the_audit_tells_what_somebody_may_do_now(aegis):
    aegis("role", "give", "olga", "approver")

    entry = AuditEntry.objects.get(command="role.give")
    detail = entry.detail if isinstance(entry.detail, dict) else json.loads(entry.detail)
    assert (entry.target, detail) == ("user:olga", {"roles": ["approver"], "teams": []})
