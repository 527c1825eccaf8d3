"""The topics of all sessions in view, a page at a time."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from aegis_project.kit.principal import Principal
from components.models import Component
from sessions.core import lifecycle
from streaming.core import topics
from streaming.models import Log
from streaming.models.log import LEDGER
from streaming.selectors import logs

PAGE = 50
# So many odd topics are told apart; of more there is the number only.
MOST_KEYS = 500
READ = (
    "name",
    "epoch",
    "start",
    "head",
    "recorded",
    "session_id",
    "session__name",
    "session__key",
    "session__state",
    "session__mode",
    "session__environment",
    "session__created_at",
    "session__config",
)

Name = tuple[str, str]
"""Session id (as text) and topic."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which topics: of open or of closed sessions, of one session, with these words, or these."""

    is_closed: bool = False
    session_id: UUID | None = None
    words: str = ""
    names: frozenset[Name] | None = None


def visible(principal: Principal) -> QuerySet[Log]:
    """
    The topics that the principal may read, with the sessions that they are of.

    :raises PermissionDenied: without the scope topics:read
    """
    rows = logs.readable(principal).exclude(name=LEDGER).exclude(name__startswith="runs.")
    return rows.select_related("session").only(*READ)


def wanted(principal: Principal, asked: Wanted) -> QuerySet[Log]:
    """The topics asked for, sessions by age, the newest first, their topics by name."""
    states = lifecycle.CLOSED if asked.is_closed else lifecycle.OPEN
    rows = visible(principal).filter(session__state__in=states)
    if asked.session_id is not None:
        rows = rows.filter(session_id=asked.session_id)
    for word in asked.words.split()[:4]:
        rows = rows.filter(_has(word))
    if asked.names is not None:
        rows = rows.filter(among(asked.names))
    return rows.order_by("-session__created_at", "session_id", "name")


def page(rows: QuerySet[Log], *, after: int | None) -> tuple[list[Log], bool]:
    """The topics that follow one (by its row), and whether there are more."""
    last = rows.filter(pk=after).first() if after is not None else None
    if last is not None:
        session: Any = last.session
        older = Q(session__created_at__lt=session.created_at)
        same = Q(session__created_at=session.created_at)
        later = Q(session_id__gt=session.pk) | Q(session_id=session.pk, name__gt=last.name)
        rows = rows.filter(session__created_at__lte=session.created_at).filter(
            older | (same & later)
        )
    found = list(rows[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def among(names: Collection[Name]) -> Q:
    """A condition for exactly these topics, as far as there are not too many."""
    by_session: dict[str, list[str]] = defaultdict(list)
    for session_id, name in sorted(names)[:MOST_KEYS]:
        by_session[session_id].append(name)
    chosen = Q(pk__in=[])
    for session_id, found in by_session.items():
        chosen |= Q(session_id=session_id, name__in=found)
    return chosen


def named(principal: Principal, names: Collection[Name]) -> list[Log]:
    """Which of these topics are in view, of open sessions."""
    if not names:
        return []
    rows = visible(principal).filter(session__state__in=lifecycle.OPEN)
    return list(rows.filter(among([one for one in names if not topics.is_row(one[1])])))


def component_names(ids: Collection[str]) -> dict[str, str]:
    """The names of components by id."""
    rows = Component.objects.filter(pk__in=list(ids)).values_list("pk", "name")
    return {str(pk): name for pk, name in rows}


def _has(word: str) -> Q:
    part = Component.objects.filter(session=OuterRef("session"), name__icontains=word)
    return (
        Q(name__icontains=word)
        | Q(session__name__icontains=word)
        | Q(session__key__icontains=word)
        | Q(Exists(part))
    )
