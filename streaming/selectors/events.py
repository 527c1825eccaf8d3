"""Reading the ledgers of sessions."""

from dataclasses import dataclass
from uuid import UUID

from aegis_project.kit.principal import Principal
from streaming.models import Event, Log


@dataclass(frozen=True, slots=True)
class Extract:
    """
    Consecutive events of a ledger, oldest first, each as the JSON text that every reader gets.

    ``start`` is the number of the first event that is kept, ``head`` that of the newest of the
    ledger, ``last`` that of the last one here.
    """

    epoch: str
    start: int
    head: int
    bodies: list[str]
    last: int


def extract(
    *, principal: Principal, session_id: UUID, after: int = 0, before: int = 0, limit: int
) -> Extract:
    """
    Events behind ``after``, or with ``before`` the newest ones ahead of it; two queries.

    The caller has found the session for the principal.

    :raises PermissionDenied: without the scope events:read
    """
    principal.require("events:read")
    log = Log.objects.ledger_of(session_id).get()
    rows = Event.objects.filter(log=log, seq__gt=max(after, log.start - 1))
    rows = rows.filter(seq__lt=before).order_by("-seq") if before else rows.order_by("seq")
    found = list(rows.values_list("seq", "body")[:limit])
    found.sort()
    last = found[-1][0] if found else after
    return Extract(log.epoch, log.start, log.head, [body for _, body in found], last)


def left(*, principal: Principal, session_id: UUID, after: int) -> bool:
    """
    Whether there are events behind number ``after`` now.

    :raises PermissionDenied: without the scope events:read
    """
    principal.require("events:read")
    return Log.objects.ledger_of(session_id).filter(head__gt=after).exists()
