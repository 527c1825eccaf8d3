"""What people may do: the ready-made roles, given and taken as Django's own permissions."""

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission, User

from aegis_project.kit.errors import NotFound, ValidationFailed
from aegis_project.kit.principal import ALL, Principal
from components import selectors
from components.core import scopes
from streaming.services.commands import Trace, command

# Nobody can give this to a credential, and no permission amounts to it: it is of administrators.
SCOPE = "users:write"


@dataclass(frozen=True, slots=True)
class Standing:
    """A person, the roles that their permissions amount to, and their teams."""

    user: User
    roles: tuple[str, ...]
    teams: tuple[str, ...]

    def audit(self) -> Trace:
        detail = {"roles": list(self.roles), "teams": list(self.teams)}
        return Trace(session_id=None, target=f"user:{self.user.get_username()}", detail=detail)


@command("role.give", scope=SCOPE)
def give(*, principal: Principal, user: str, role: str, team: str = "") -> Standing:
    """
    Make a person a viewer, operator or approver, and one of a team if one is named.

    They may sign in to the admin from then on; what they may see is of their teams.

    :raises NotFound: if there is no such person or team
    :raises ValidationFailed: for a role that there is not
    """
    row, permissions = _locked(user), _permissions(role)
    row.user_permissions.add(*permissions)
    if team:
        row.groups.add(_team(team))
    if not row.is_staff:
        row.is_staff = True
        row.save(update_fields=["is_staff"])
    return _standing(row)


@command("role.take", scope=SCOPE)
def take(*, principal: Principal, user: str, role: str = "", team: str = "") -> Standing:
    """
    Take a role from a person, a team, or both; what another role of theirs gives stays.

    Sockets and streams that stood on it are closed within seconds: each asks again who is there.

    :raises NotFound: if there is no such person or team
    :raises ValidationFailed: for a role that there is not
    """
    row = _locked(user)
    if role:
        kept = {name for other in _roles(row) if other != role for name in scopes.ROLES[other]}
        gone = [one for one in _permissions(role) if _name(one) not in kept]
        row.user_permissions.remove(*gone)
    if team:
        row.groups.remove(_team(team))
    return _standing(row)


def principal_of(user: User, *, transport: str) -> Principal:
    """A person as a principal; superusers have every scope in every team."""
    is_super = user.is_superuser
    return Principal(
        kind="user",
        id=f"user:{user.pk}",
        label=user.get_username(),
        scopes=frozenset({ALL}) if is_super else scopes.granted(user.get_all_permissions()),
        teams=None if is_super else frozenset(user.groups.values_list("pk", flat=True)),
        user_id=user.pk,
        transport=transport,
    )


def several(*, principal: Principal) -> list[Standing]:
    """
    Everybody who has a role, by name.

    :raises PermissionDenied: for anybody but an administrator
    """
    principal.require(SCOPE)
    rows = User.objects.filter(is_active=True).order_by("username")
    found = [_standing(row) for row in rows.prefetch_related("user_permissions", "groups")]
    return [one for one in found if one.roles]


def _locked(name: str) -> User:
    found = User.objects.select_for_update(no_key=True).filter(username=name).first()
    if found is None:
        raise NotFound(f"There is no user {name[:150]}.", user=name[:150])
    return found


def _team(name: str) -> Group:
    if name == selectors.DEFAULT_TEAM:
        return selectors.default_team()
    found = Group.objects.filter(name=name).first()
    if found is None:
        raise NotFound(f"There is no team {name[:150]}.", team=name[:150])
    return found


def _permissions(role: str) -> list[Permission]:
    if role not in scopes.ROLES:
        raise ValidationFailed(f"The roles are {', '.join(scopes.ROLES)}.", field="role")
    words = {name.partition(".")[2] for name in scopes.ROLES[role]}
    rows = Permission.objects.filter(codename__in=words).select_related("content_type")
    return [row for row in rows if _name(row) in scopes.ROLES[role]]


def _name(row: Permission) -> str:
    return f"{row.content_type.app_label}.{row.codename}"


def _roles(row: User) -> tuple[str, ...]:
    rows = row.user_permissions.select_related("content_type")
    own = {_name(one) for one in rows}
    return tuple(role for role, names in scopes.ROLES.items() if own.issuperset(names))


def _standing(row: User) -> Standing:
    teams = tuple(sorted(row.groups.values_list("name", flat=True)))
    return Standing(row, _roles(row), teams)
