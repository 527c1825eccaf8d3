"""Reading runs: who sees which, and where they stand."""

from uuid import UUID

from django.db.models import QuerySet

from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from sessions.core import keys
from sessions.core.errors import RunNotFound
from sessions.models import Run, Session
from sessions.selectors import sessions


def visible(principal: Principal) -> QuerySet[Run]:
    """The runs of the sessions that exist for the principal."""
    return _within(*sessions.reach(principal))


def _within(teams: tuple[int, ...] | None, bound: UUID | None) -> QuerySet[Run]:
    rows = Run.objects.filter(session__deleted_at=None)
    if bound is not None:
        rows = rows.filter(session=bound)
    return rows if teams is None else rows.filter(session__team__in=teams)


@Prepared
def _one(teams: tuple[int, ...] | None, bound: UUID | None, pk: UUID) -> QuerySet[Run]:
    return _within(teams, bound).filter(pk=pk)


def find(principal: Principal, reference: Run | UUID | str) -> Run:
    """
    The run by id, as far as the principal sees it.

    :raises RunNotFound: if there is none, also when it is out of sight
    """
    name = str(reference.pk if isinstance(reference, Run) else reference)
    uuid = keys.as_uuid(name)
    teams, bound = sessions.reach(principal)
    for row in _one(teams=teams, bound=bound, pk=uuid) if uuid else ():
        return row
    raise RunNotFound(run=name[:64])


def readable(principal: Principal) -> QuerySet[Run]:
    """
    The runs that the principal sees and may read.

    :raises PermissionDenied: without the scope runs:read
    """
    principal.require("runs:read")
    return visible(principal)


def read(principal: Principal, reference: UUID | str) -> Run:
    """
    One run.

    :raises PermissionDenied: without the scope runs:read
    :raises RunNotFound: if it is not there for the principal
    """
    principal.require("runs:read")
    return find(principal, reference)


def of_session(session: Session) -> QuerySet[Run]:
    """The runs of a session, in the order of their admission."""
    return Run.objects.filter(session=session).order_by("place")
