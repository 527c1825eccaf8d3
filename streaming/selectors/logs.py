"""Reading which topics there are."""

from uuid import UUID

from django.db.models import QuerySet

from aegis_project.kit.principal import Principal
from streaming.core import topics
from streaming.core.errors import TopicNotFound
from streaming.models import Log

EVERYTHING = ("**",)


def readable(principal: Principal) -> QuerySet[Log]:
    """
    The logs of the sessions that the principal sees.

    :raises PermissionDenied: without the scope topics:read
    """
    principal.require("topics:read")
    rows = Log.objects.filter(session__deleted_at=None)
    if principal.session_id is not None:
        rows = rows.filter(session_id=principal.session_id)
    if principal.teams is not None:
        rows = rows.filter(session__team_id__in=principal.teams)
    return rows


def of_session(principal: Principal, session_id: UUID) -> list[Log]:
    """
    The logs of a session that the principal sees, by name, as far as its patterns reach.

    :raises PermissionDenied: without the scope topics:read
    """
    rows = readable(principal).filter(session_id=session_id).order_by("name")
    return [row for row in rows if may_see(principal, row.name)]


def by_name(session_id: UUID) -> dict[str, Log]:
    """All logs of a session, for who sees the whole of it."""
    return {log.name: log for log in Log.objects.filter(session=session_id)}


def named(session_id: UUID, name: str) -> Log | None:
    """One log of a session, for who sees the whole of it."""
    return Log.objects.filter(session=session_id, name=name).first()


def names(session_id: UUID) -> list[str]:
    """The topics of a session that are not rows of tables, for who sees the whole of it."""
    rows = Log.objects.filter(session=session_id).order_by("name")
    return [name for name in rows.values_list("name", flat=True) if not topics.is_row(name)]


def ledger_head(session_id: UUID) -> int:
    """The seq of the newest event of a session."""
    return Log.objects.ledger_of(session_id).values_list("head", flat=True).get()


def may_see(principal: Principal, name: str) -> bool:
    """Whether the patterns of a credential reach this topic; people have no patterns."""
    return topics.covers(patterns(principal), name)


def check_readable(principal: Principal, name: str) -> None:
    """
    Go on only if the principal may read this topic.

    :raises PermissionDenied: without the scope; the ledger has its own
    :raises TopicNotFound: for a name that is none, or that its patterns do not reach
    """
    principal.require("events:read" if name == topics.LEDGER else "topics:read")
    if not topics.NAME.match(name) or not may_see(principal, name):
        raise TopicNotFound(topic=name[: topics.MAX_LENGTH])


def patterns(principal: Principal) -> tuple[str, ...]:
    """The topics that a credential was given for; everything for everybody else."""
    return principal.patterns or EVERYTHING
