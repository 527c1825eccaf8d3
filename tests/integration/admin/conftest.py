import pytest
from django.contrib.auth.models import Group, Permission, User

from components import auth
from components.models import Component
from sessions.core.lifecycle import Environment, Kind
from sessions.services import creation
from sessions.services.creation import Draft
from tests.integration.admin.help import principal

OPERATOR = (
    "aegis_sessions.view_session",
    "aegis_sessions.change_session",
    "aegis_sessions.control_session",
    "aegis_components.view_component",
    "aegis_streaming.view_log",
)


@pytest.fixture
def team(db):
    return Group.objects.get_or_create(name="default")[0]


@pytest.fixture
def other_team(db):
    return Group.objects.create(name="others")


@pytest.fixture
def superuser(db):
    return User.objects.create_superuser("root")


@pytest.fixture
def person(team):
    """Make a member of the staff with these permissions, in team default unless said otherwise."""

    def make(name: str, *permissions: str, group: Group | None = None) -> User:
        user = User.objects.create_user(name, is_staff=True)
        user.groups.add(group or team)
        for permission in permissions:
            app, _, codename = permission.partition(".")
            found = Permission.objects.get(content_type__app_label=app, codename=codename)
            user.user_permissions.add(found)
        return User.objects.get(pk=user.pk)

    return make


@pytest.fixture
def operator(person):
    return person("olga", *OPERATOR)


@pytest.fixture
def viewer(person):
    return person("vera", "aegis_sessions.view_session")


@pytest.fixture
def new_session(superuser, team):
    """Make a session through its service; it is of team default unless said otherwise."""

    def make(key: str, *, environment: str = "test", kind: str = "stream", **rest):
        draft = Draft(
            key=key,
            name=rest.pop("name", key.title()),
            environment=Environment(environment),
            kind=Kind(kind),
            team=rest.pop("team", "default"),
            **rest,
        )
        return creation.create(principal=principal(superuser), draft=draft).session

    return make


@pytest.fixture
def new_component():
    """Make the row of a component, as the registry would have left it."""

    def make(session, name: str, *, state: str = "running", **fields):
        return Component.objects.create(session=session, name=name, state=state, **fields)

    return make


@pytest.fixture
def asking(superuser):
    return auth.of_user(superuser, transport="test")
