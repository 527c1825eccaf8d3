"""Lists of sessions as readers see them."""

from functools import cache
from uuid import UUID

from django.db.models import F, Q, QuerySet

from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from sessions.models import Session
from sessions.selectors import sessions
from streaming.selectors import pages
from streaming.selectors.pages import Page


def readable(principal: Principal) -> QuerySet[Session]:
    """
    The sessions that the principal sees and may read, with what a document of them needs.

    :raises PermissionDenied: without the scope sessions:read
    """
    principal.require("sessions:read")
    return _named(sessions.visible(principal))


def first_page(principal: Principal, *, order: str, limit: int) -> Page[Session]:
    """
    The first page of all sessions that the principal sees and may read.

    :raises PermissionDenied: without the scope sessions:read
    """
    principal.require("sessions:read")
    teams, bound = sessions.reach(principal)
    return pages.cut(_first(order, limit)(teams=teams, bound=bound), order=order, limit=limit)


@cache
def _first(order: str, limit: int) -> Prepared[Session]:
    def ask(teams: tuple[int, ...] | None, bound: UUID | None) -> QuerySet[Session]:
        return pages.ordered(_named(sessions.within(teams, bound)), order=order, limit=limit)

    return Prepared(ask)


def _named(rows: QuerySet[Session]) -> QuerySet[Session]:
    # The names alone: lists of many rows need no object for each team and owner.
    return rows.annotate(team_name=F("team__name"), owner_name=F("owner__username"))


def read(principal: Principal, reference: str) -> Session:
    """
    One session by id or key.

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if it is not there for the principal
    """
    principal.require("sessions:read")
    return sessions.find(principal, reference)


def own(rows: QuerySet[Session], principal: Principal) -> QuerySet[Session]:
    """The sessions that the principal made, or whose owner they are."""
    if principal.user_id is not None:
        return rows.filter(owner=principal.user_id)
    return rows.filter(owner=None, owner_label=principal.label)


def mentioning(rows: QuerySet[Session], text: str) -> QuerySet[Session]:
    """The sessions that have a text where people look for it: key, name, owner's label."""
    return rows.filter(
        Q(key__icontains=text) | Q(name__icontains=text) | Q(owner_label__icontains=text)
    )
