"""Reading the clocks of historical sessions."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from aegis_project.kit.errors import InvalidState
from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from components.models import Component
from sessions.core.lifecycle import SEEKABLE, State
from sessions.models import Replay, Session
from sessions.selectors import sessions


@dataclass(frozen=True, slots=True)
class Due:
    """A clock that has to be moved: whose it is, its fence, and how fast it is to go."""

    session_id: str
    fence: int
    speed: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the clock of a session was saved last, and how often its topics began anew."""

    generation: int
    n: int
    clock: int | None


def find(principal: Principal, session: Session | str) -> tuple[Session, Replay]:
    """
    A session and its clock.

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it has no clock of its own
    """
    principal.require("sessions:read")
    row = sessions.find(principal, session)
    replay = Replay.objects.filter(session=row).first()
    if replay is None:
        raise InvalidState(
            "This session has no clock of its own.",
            **{"from": row.state, "command": "clock", "allowed": row.legal()},
        )
    return row, replay


def standings(session_ids: Collection[str]) -> dict[str, Standing]:
    """Where the clocks of these sessions stand."""
    rows = Replay.objects.filter(session__in=list(session_ids))
    found = rows.values_list("session_id", "generation", "n", "clock")
    return {str(pk): Standing(generation, n, clock) for pk, generation, n, clock in found}


def due() -> dict[UUID, Due]:
    """Clocks that are to be set, or whose sessions run and which have not come to the end."""
    return {pk: Due(str(session_id), fence, speed) for pk, session_id, fence, speed in _due()}


@Prepared
def _due() -> QuerySet[Any, Any]:
    runs = Q(session__state=State.RUNNING.value, is_exhausted=False)
    is_sought = Q(session__state__in=SEEKABLE, seek_to__isnull=False)
    rows = Replay.objects.filter(runs | is_sought, session__deleted_at=None)
    return rows.values_list("pk", "session_id", "fence", "speed")


def followed(session_ids: Collection[str]) -> set[str]:
    """Those of these sessions of which a component has its data socket at some living process."""
    there = Component.objects.filter(
        session__in=list(session_ids), is_data_connected=True, lease__expires_at__gt=timezone.now()
    )
    return {str(pk) for pk in there.values_list("session_id", flat=True)}


def is_followed_elsewhere(session_id: UUID, *, lease_id: UUID | None) -> bool:
    """Whether a component of the session is held by another living process."""
    held = Component.objects.filter(session=session_id, lease__expires_at__gt=timezone.now())
    return (held if lease_id is None else held.exclude(lease_id=lease_id)).exists()
