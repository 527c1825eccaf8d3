"""Reading components."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from aegis_project.kit.errors import PermissionDenied
from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from components.core import launching
from components.core.errors import ComponentAmbiguous, ComponentNotFound, CredentialNotFound
from components.core.lifecycle import State
from components.models import Component, Credential, Program
from components.models.credential import CredentialQuerySet

DEFAULT_TEAM = "default"
# States of a session in which the programs of its components are to run, unless they were let go.
STAFFED = frozenset({"running", "paused", "failed"})
# Fewer digits of an id are taken for the beginning of a name.
SHORTEST_PREFIX = 4


def session_model() -> type[Model]:
    """What the foreign key of a component points to; components know no more of sessions."""
    model = Component._meta.get_field("session").related_model
    assert isinstance(model, type)  # noqa: S101 -- the foreign key is resolved once apps are ready
    return model


def locked_session(session_id: UUID | str) -> Any:
    """The row of the session that components belong to, locked first in the order of locks."""
    return session_model()._default_manager.locked(session_id)  # type: ignore[attr-defined]


def has_session(session_id: str) -> bool:
    """Whether this is the id of a session that was not deleted."""
    if not _is_uuid(session_id):
        return False
    return session_model()._default_manager.filter(pk=session_id, deleted_at=None).exists()


def is_session_open(session_id: UUID | str) -> bool:
    """Whether components may still register with this session."""
    rows: Any = session_model()._default_manager.filter(pk=session_id)
    return any(session.is_open for session in rows)


def is_staffed(session: Any) -> bool:
    """Whether programs run for this session: it starts, runs, is held, or failed as it stood."""
    is_up = session.is_starting or session.state in STAFFED
    return bool(session.deleted_at is None and is_up)


def awaited(session_id: UUID | str, *, lease_id: UUID | None) -> set[str]:
    """
    Ids of the components that are to have everything before their session may be completed.

    Those that run, that come, or that may come back within the grace; but not those whose sockets
    another living process holds, which knows itself how far they are.
    """
    now = timezone.now()
    coming = now - timedelta(seconds=settings.ENVIRONMENT.grace_seconds)
    takes_part = Q(state__in=[State.READY, State.RUNNING, State.LOST]) | Q(
        state=State.REGISTERED, registered_at__gt=coming
    )
    elsewhere = Q(is_data_connected=True, lease__expires_at__gt=now) & ~Q(lease_id=lease_id)
    rows = Component.objects.filter(takes_part, session_id=session_id).exclude(elsewhere)
    return {str(pk) for pk in rows.values_list("pk", flat=True)}


def is_here(component: Component) -> bool:
    """Whether a component is connected, or has a process."""
    launch = getattr(component, "launch", None)
    return launching.is_here(component.state, launch.state if launch else None)


def find(reference: str, *, session_id: UUID | str) -> Component:
    """
    The component of a session by id, exact name, unique id prefix or unique name prefix.

    :raises ComponentNotFound: if none answers
    :raises ComponentAmbiguous: if several do
    """
    rows = list(Component.objects.of_session(session_id))
    if not reference and len(rows) == 1:
        return rows[0]
    wanted = reference.lower()
    tests = (
        lambda row: str(row.pk) == wanted,
        lambda row: row.name.lower() == wanted,
        lambda row: len(wanted) >= SHORTEST_PREFIX and str(row.pk).startswith(wanted),
        lambda row: row.name.lower().startswith(wanted),
    )
    for test in tests if wanted else ():
        found = [row for row in rows if test(row)]
        if len(found) > 1:
            raise ComponentAmbiguous(
                "More than one component answers to this.", candidates=[row.name for row in found]
            )
        if found:
            return found[0]
    raise ComponentNotFound(component=reference)


def visible(principal: Principal) -> Any:
    """The components of the sessions that exist for the principal."""
    rows = Component.objects.filter(session__deleted_at=None)
    if principal.teams is None:
        return rows
    return rows.filter(session__team_id__in=principal.teams)


def readable(principal: Principal) -> QuerySet[Component]:
    """
    The components that the principal sees and may read.

    :raises PermissionDenied: without the scope components:read
    """
    principal.require("components:read")
    rows: QuerySet[Component] = visible(principal).select_related("program", "launch")
    if principal.session_id is not None:
        rows = rows.filter(session_id=principal.session_id)
    return rows


def of_session(principal: Principal, session_id: UUID) -> QuerySet[Component]:
    """
    The components of a session that the principal sees, in the order in which they came.

    :raises PermissionDenied: without the scope components:read
    """
    principal.require("components:read")
    return Component.objects.of_session(session_id).select_related("program", "launch")


def parts(session_id: UUID) -> QuerySet[Component]:
    """The same for who sees the whole session, with the credentials and processes they are held by."""
    return Component.objects.of_session(session_id).select_related("token", "lease")


def read(principal: Principal, component_id: str) -> Component:
    """
    One component by its id.

    :raises PermissionDenied: without the scope components:read
    :raises ComponentNotFound: if it is not there for the principal
    """
    rows = readable(principal)
    found = rows.filter(pk=component_id).first() if _is_uuid(component_id) else None
    if found is None:
        raise ComponentNotFound(component=component_id)
    return found


def credentials(principal: Principal, *, is_usable: bool = False) -> QuerySet[Credential]:
    """
    The credentials of the principal's teams, all or those that still open something.

    :raises PermissionDenied: without the scope credentials:read
    """
    principal.require("credentials:read")
    rows = _credentials_of(principal).select_related("team")
    return rows.usable(at=timezone.now()) if is_usable else rows


def credential(principal: Principal, reference: str) -> Credential:
    """
    One credential of the principal's teams, by id or by the prefix that lists show.

    :raises CredentialNotFound: if none answers
    """
    by = {"pk": reference} if _is_uuid(reference) else {"prefix": reference}
    found: Credential | None = _credentials_of(principal).filter(**by).first()
    if found is not None:
        return found
    raise CredentialNotFound(credential=reference)


def _credentials_of(principal: Principal) -> CredentialQuerySet:
    bound = {"session_id": principal.session_id} if principal.session_id else {}
    rows = Credential.objects.filter(**bound)
    return rows if principal.teams is None else rows.filter(team_id__in=principal.teams)


def programs(principal: Principal) -> Any:
    """
    The programs that the principal's teams may use, by name.

    :raises PermissionDenied: without the scope programs:read
    """
    principal.require("programs:read")
    return Program.objects.of_teams(principal.teams).order_by("name")


def default_team() -> Group:
    """The team of who named none: a migration makes it, and it comes back when it was removed."""
    return Group.objects.get_or_create(name=DEFAULT_TEAM)[0]


def team_for_new(principal: Principal, name: str = "") -> Group:
    """
    The team of something new: the one named, else the principal's only one, else the default.

    :raises PermissionDenied: for a team that the principal is not of, or without any
    """
    if principal.teams is None:
        # Who sees all teams has none of their own.
        is_default = name in {"", DEFAULT_TEAM}
        team = default_team() if is_default else Group.objects.filter(name=name).first()
    else:
        found = {one.name: one for one in _teams(ids=tuple(sorted(principal.teams)))}
        only = next(iter(found.values())) if len(found) == 1 else None
        team = found.get(name) if name else only or found.get(DEFAULT_TEAM)
    if team is None:
        raise PermissionDenied("There is no such team for you.", team=name or DEFAULT_TEAM)
    return team


@Prepared
def _teams(ids: tuple[int, ...]) -> QuerySet[Group]:
    return Group.objects.filter(pk__in=ids)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
