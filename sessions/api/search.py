"""Searching what was said."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.core import search as rules
from sessions.core.conversation import Role
from sessions.core.search import Snippet
from sessions.selectors import history, search
from sessions.selectors.search import Found, Hit, Scope, Sort, Wanted
from streaming.api import codecs
from streaming.api.base import Endpoint
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation

Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=rules.LONGEST,
        description="One to ten words; `*` behind the last one stands for what it goes on with.",
    ),
]


class SnippetDocument(Struct, kw_only=True):
    """A piece of a message as plain text; `marks` are where a word found begins and ends in it."""

    text: str
    marks: list[tuple[int, int]]


class HitDocument(Struct, kw_only=True):
    """A message that was found; `score` says how well it answers."""

    message: UUID
    session: UUID
    session_key: str
    session_name: str
    place: int
    role: Role
    author: str
    agent: str
    score: float
    snippets: list[SnippetDocument]
    created_at: Timestamp


class NamedDocument(Struct, kw_only=True):
    """A session whose name or key has all the words."""

    id: UUID
    key: str
    name: str
    state: str


class FoundDocument(Struct, kw_only=True):
    """
    What was found.

    `has_more`: there are messages behind these, at the next `offset`.
    `suggestions` are words that there are and that are written nearly so, if nothing was found.
    """

    data: list[HitDocument]
    has_more: bool
    sessions: list[NamedDocument]
    suggestions: list[str]


class OneSearchQuery(Struct, kw_only=True):
    """What to search for in a session."""

    q: Text
    role: Role | None = None
    agent: Annotated[str, Meta(max_length=100)] = ""
    since: Timestamp | None = None
    until: Timestamp | None = None
    sort: Sort = "relevance"
    limit: Annotated[int, Meta(ge=1, le=50)] = 20
    offset: Annotated[int, Meta(ge=0, le=150, description="How many are left out.")] = 0

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            at = getattr(self, name)
            if at is not None:
                setattr(self, name, codecs.in_utc(at))

    def wanted(self, **more: Any) -> Wanted:
        """What the selector takes."""
        names = ("role", "agent", "since", "until", "sort", "limit", "offset")
        return Wanted(**{name: getattr(self, name) for name in names}, **more)


class SearchQuery(OneSearchQuery, kw_only=True):
    """What to search for, and in which sessions: all, those of one's own, or of the last week."""

    scope: Scope = "all"
    session: Annotated[str, Meta(max_length=128)] = ""
    tag: Annotated[str, Meta(max_length=50)] = ""


class Search(Endpoint):
    """What was said in the sessions that you may see."""

    examples: ClassVar[Mapping[str, Any]] = {}

    @operation("search", tag="search", query=SearchQuery, answers={200: FoundDocument})
    def get(self, _request: Request) -> Response:
        """Search the messages of all your sessions, and the names of these."""
        self.principal.require("messages:read")
        query = self.asked(SearchQuery)
        wanted = query.wanted(scope=query.scope, session=query.session, tag=query.tag)
        return Response(shown(search.find(self.principal, query.q, wanted)))


class SessionSearch(Endpoint):
    """What was said in a session."""

    @operation("sessions.search", tag="search", query=OneSearchQuery, answers={200: FoundDocument})
    def get(self, _request: Request, session: str) -> Response:
        """Search the messages of a session."""
        history.readable(self.principal, session)
        query = self.asked(OneSearchQuery)
        return Response(shown(search.find(self.principal, query.q, query.wanted(session=session))))


def shown(found: Found) -> dict[str, Any]:
    """What was found as every interface shows it."""
    return codecs.show(
        FoundDocument(
            data=[_hit(one) for one in found.hits],
            has_more=found.has_more,
            sessions=[
                NamedDocument(id=one.pk, key=one.key, name=one.name, state=one.state)
                for one in found.sessions
            ],
            suggestions=found.suggestions,
        )
    )


def _hit(hit: Hit) -> HitDocument:
    row = hit.message
    return HitDocument(
        message=row.pk,
        session=row.session_id,
        session_key=row.session.key,
        session_name=row.session.name,
        place=row.place,
        role=Role(row.role),
        author=row.author,
        agent=row.agent,
        score=hit.score,
        snippets=[_snippet(one) for one in hit.snippets],
        created_at=row.created_at,
    )


def _snippet(one: Snippet) -> SnippetDocument:
    return SnippetDocument(text=one.text, marks=one.marks)
