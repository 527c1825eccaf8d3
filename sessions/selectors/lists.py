"""Lists of sessions as readers see them."""

from django.db.models import Q, QuerySet

from aegis_project.kit.principal import Principal
from sessions.models import Session
from sessions.selectors import sessions


def readable(principal: Principal) -> QuerySet[Session]:
    """
    The sessions that the principal sees and may read, with what a document of them needs.

    :raises PermissionDenied: without the scope sessions:read
    """
    principal.require("sessions:read")
    return sessions.visible(principal).select_related("team", "owner")


def read(principal: Principal, reference: str) -> Session:
    """
    One session by id or key.

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if it is not there for the principal
    """
    principal.require("sessions:read")
    return sessions.find(principal, reference)


def mentioning(rows: QuerySet[Session], text: str) -> QuerySet[Session]:
    """The sessions that have a text where people look for it: key, name, owner's label."""
    return rows.filter(
        Q(key__icontains=text) | Q(name__icontains=text) | Q(owner_label__icontains=text)
    )
