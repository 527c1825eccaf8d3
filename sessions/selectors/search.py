"""Searching what was said: one way in, whichever database keeps the index."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Substr
from django.utils import timezone

from aegis_project.kit.principal import Principal
from sessions.core import search
from sessions.core.conversation import Role
from sessions.core.search import Query, Snippet
from sessions.models import Message, Session
from sessions.selectors import sessions, tags

Scope = Literal["all", "mine", "recent"]
Sort = Literal["relevance", "newest", "oldest"]

CANDIDATES = 200
"""How many of the newest messages with the words are ranked."""

RECENT = timedelta(days=7)
SESSIONS_SHOWN = 5
# Where suggestions come from: messages at most, of so many sessions.
LEARNT_FROM, ASKED = 200, 20
# So few sessions of somebody's are named to the index itself.
NAMED = 50
MESSAGES = Message._meta.db_table
# The message of the row of the index that is looked at.
ENTRY = RawSQL("aegis_sessions_search_entry.message_id", [])

_said = Substr("content", 1, search.JUDGED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to search: ``session`` is an id or key, times are those of the messages."""

    scope: Scope = "all"
    session: str = ""
    role: Role | None = None
    agent: str = ""
    tag: str = ""
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = "relevance"
    limit: int = 20
    offset: int = 0

    @property
    def end(self) -> int:
        """How many are found up to the end of the page."""
        return self.offset + self.limit


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, how well it answers, and where."""

    message: Message
    score: float
    snippets: list[Snippet]


@dataclass(frozen=True, slots=True)
class Found:
    """
    What a search found, and whether there is more behind this page.

    ``suggestions`` are words to search for instead, if it found nothing.
    """

    hits: list[Hit]
    sessions: list[Session] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    has_more: bool = False


def find(principal: Principal, text: str, wanted: Wanted) -> Found:
    """
    The messages of chosen branches in which the words of a text stand, and sessions called so.

    Of all messages with every word the 200 newest are ranked (the oldest, where those come
    first); only if there is none, those with any of the words. Those that rank alike come newest
    first.

    :raises PermissionDenied: without the scope messages:read
    :raises SessionNotFound: if the session is not there for the principal
    :raises ValidationFailed: for a text that searches for nothing
    """
    principal.require("messages:read")
    query = search.parse(text)
    reach = _reach(principal, wanted)
    rows = _within(reach, wanted)
    ids = _ids(principal, query, rows, wanted, every=True)
    if not ids and len(query.words) > 1:
        ids = _ids(principal, query, rows, wanted, every=False)
    hits = _ranked(query, ids, wanted)
    # Sessions stand on the first page alone.
    is_later = bool(wanted.session or wanted.offset)
    named = [] if is_later else list(_called(reach, query)[:SESSIONS_SHOWN])
    if hits or named or wanted.offset:
        return Found(hits, named, has_more=len(ids) > wanted.end)
    return Found([], [], search.suggested(query, _texts(reach)))


def _reach(principal: Principal, wanted: Wanted) -> QuerySet[Session]:
    rows = sessions.visible(principal)
    if wanted.session:
        return rows.filter(pk=sessions.find(principal, wanted.session).pk)
    if wanted.scope == "mine":
        own = Q(owner=principal.user_id) if principal.user_id else Q(owner_label=principal.label)
        rows = rows.filter(own)
    if wanted.scope == "recent":
        rows = rows.filter(last_activity_at__gte=timezone.now() - RECENT)
    return tags.carrying(rows, wanted.tag) if wanted.tag else rows


def _within(reach: QuerySet[Session], wanted: Wanted) -> QuerySet[Message]:
    rows = Message.objects.filter(session__in=reach.values("pk"), is_chosen=True)
    said = {
        "role": wanted.role.value if wanted.role else None,
        "agent": wanted.agent or None,
        "created_at__gte": wanted.since,
        "created_at__lt": wanted.until,
    }
    return rows.filter(**{name: value for name, value in said.items() if value is not None})


def _ids(
    principal: Principal, query: Query, rows: QuerySet[Message], wanted: Wanted, *, every: bool
) -> Sequence[UUID | str]:
    most = CANDIDATES if wanted.sort == "relevance" else wanted.end + 1
    if connection.vendor == "postgresql":
        return _ids_of_postgresql(_words(query, every=every), rows, wanted, most)
    places = _places(principal, wanted)
    return _ids_of_fts(_phrase(query, places, every=every), rows, wanted, most)


def _ids_of_postgresql(
    words: str, rows: QuerySet[Message], wanted: Wanted, most: int
) -> list[UUID]:
    has_words = RawSQL(  # noqa: S611 -- what somebody said is a parameter
        f'"{MESSAGES}"."words" @@ to_tsquery(\'simple\', %s)',
        [words],
        output_field=BooleanField(),
    )
    sign = "" if wanted.sort == "oldest" else "-"
    found = rows.filter(has_words).order_by(f"{sign}created_at", f"{sign}place")
    return list(found.values_list("pk", flat=True)[:most])


def _ids_of_fts(phrase: str, rows: QuerySet[Message], wanted: Wanted, most: int) -> list[str]:
    one = rows.filter(pk=ENTRY).order_by()
    inner, params = one.values("pk").query.sql_with_params()
    order = "ASC" if wanted.sort == "oldest" else "DESC"
    sql = (
        "SELECT aegis_sessions_search_entry.message_id FROM aegis_sessions_search"  # noqa: S608 -- what somebody said are parameters
        " JOIN aegis_sessions_search_entry"
        " ON aegis_sessions_search_entry.id = aegis_sessions_search.rowid"
        f" WHERE aegis_sessions_search MATCH %s AND EXISTS ({inner})"
        f" ORDER BY aegis_sessions_search.rowid {order} LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [phrase, *params, most])
        return [row[0] for row in cursor.fetchall()]


def _places(principal: Principal, wanted: Wanted) -> list[str]:
    """The ids of the few sessions that are searched; nothing when they are many."""
    if not wanted.session and principal.teams is None and wanted.scope != "mine":
        return []
    found = list(_reach(principal, wanted).values_list("pk", flat=True)[: NAMED + 1])
    return [one.hex for one in found] if len(found) <= NAMED else []


def _words(query: Query, *, every: bool) -> str:
    """The words as PostgreSQL takes them; there are only letters and digits in them."""
    asked = [f"'{word}'" for word in query.words]
    if query.is_open:
        asked[-1] += ":*"
    return (" & " if every else " | ").join(asked)


def _phrase(query: Query, places: list[str], *, every: bool) -> str:
    """The words as FTS5 takes them."""
    asked = [f'"{word}"' for word in query.words]
    if query.is_open:
        asked[-1] += "*"
    words = f"content : ({(' AND ' if every else ' OR ').join(asked)})"
    if not places:
        return words
    named = " OR ".join(f'"{place}"' for place in places)
    return f"{words} AND session : ({named})"


def _ranked(query: Query, ids: Sequence[UUID | str], wanted: Wanted) -> list[Hit]:
    judged = Message.objects.filter(pk__in=ids).values_list("pk", "created_at", "place", _said)
    # Only those that are shown become objects: making them costs more than judging.
    lines = sorted(judged, key=lambda one: one[1:3], reverse=wanted.sort != "oldest")
    scored = [(search.score(query, said), pk, said) for pk, _, _, said in lines]
    if wanted.sort == "relevance":
        # The order of before stays among equals.
        scored.sort(key=lambda one: one[0], reverse=True)
    shown = scored[wanted.offset : wanted.end]
    rows = Message.objects.defer("content", "metadata").select_related("session")
    found = rows.in_bulk([pk for _, pk, _ in shown])
    return [Hit(found[pk], points, search.snippets(query, said)) for points, pk, said in shown]


def _called(reach: QuerySet[Session], query: Query) -> QuerySet[Session]:
    rows = reach
    for word in query.words:
        rows = rows.filter(Q(name__icontains=word) | Q(key__icontains=word))
    return rows.order_by("-last_activity_at", "-pk")


def _texts(reach: QuerySet[Session]) -> list[str]:
    """What was said in the sessions that were active last."""
    newest = list(reach.order_by("-last_activity_at", "-pk").values_list("pk", flat=True)[:ASKED])
    rows = Message.objects.filter(session__in=newest, is_chosen=True)
    return list(rows.values_list(_said, flat=True)[:LEARNT_FROM])
