"""Reading components."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model

from aegis_project.kit.principal import Principal
from components.core.errors import ComponentAmbiguous, ComponentNotFound
from components.models import Component


@dataclass(frozen=True, slots=True)
class Standing:
    """What a process must know of a component whose sockets it holds."""

    component_id: str
    session_id: str
    state: str
    fence: int
    is_data_connected: bool
    is_session_open: bool
    is_session_running: bool
    is_token_revoked: bool
    session_state: str


def locked_session(session_id: UUID | str) -> Any:
    """
    The row of the session that components belong to, locked first in the order of locks.

    Components know sessions only as what their foreign key points to.
    """
    return _session_model()._default_manager.locked(session_id)  # type: ignore[attr-defined]


def has_session(session_id: str) -> bool:
    """Whether this is the id of a session that was not deleted."""
    try:
        uuid = UUID(session_id)
    except ValueError:
        return False
    return _session_model()._default_manager.filter(pk=uuid, deleted_at=None).exists()


def standings(component_ids: Iterable[str]) -> list[Standing]:
    """Where these components and their sessions stand now, in one query."""
    rows = Component.objects.filter(pk__in=list(component_ids)).select_related("session", "token")
    return [
        Standing(
            component_id=str(row.pk),
            session_id=str(row.session_id),
            state=row.state,
            fence=row.fence,
            is_data_connected=row.is_data_connected,
            is_session_open=row.session.is_open,
            is_session_running=row.session.is_running,
            is_token_revoked=row.token is not None and row.token.revoked_at is not None,
            session_state=row.session.state,
        )
        for row in rows
    ]


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
        lambda row: str(row.pk).startswith(wanted),
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


def _session_model() -> type[Model]:
    model = Component._meta.get_field("session").related_model
    assert isinstance(model, type)  # noqa: S101 -- the foreign key is resolved once apps are ready
    return model
