"""Bookmarks: places in sessions that somebody wants to find again."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.principal import Principal
from sessions.api.tags import Color
from sessions.core.bookmarks import LONGEST_NAME, LONGEST_NOTE
from sessions.models import Bookmark
from sessions.selectors import bookmarks as reading
from sessions.selectors.bookmarks import Narrowing
from sessions.services import bookmarks
from sessions.services.bookmarks import Mark
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.codecs import Timestamp
from streaming.api.documents import PageQuery
from streaming.api.schema import operation
from streaming.selectors import pages

Name = Annotated[str, Meta(max_length=LONGEST_NAME, pattern="^[^\\x00]*$")]
Note = Annotated[str, Meta(max_length=LONGEST_NOTE, pattern="^[^\\x00]*$")]
Seq = Annotated[int, Meta(ge=1, le=2**63 - 1, description="A position of the ledger.")]


class BookmarkDocument(Struct, kw_only=True):
    """
    A place in a session: a message, with its `place` in the conversation, or the event at `seq`.

    `is_shared`: whoever sees the session sees it. `is_own`: it is yours to change.
    """

    id: UUID
    session_id: UUID
    session_key: str
    message_id: UUID | None
    place: int | None
    seq: int | None
    name: str
    note: str
    color: str
    is_shared: bool
    is_own: bool
    author: str
    created_at: Timestamp
    updated_at: Timestamp


class BookmarkPage(Struct, kw_only=True):
    """Bookmarks, the newest first, and the cursor of the page that follows."""

    data: list[BookmarkDocument]
    next: str


class SessionBookmarksQuery(PageQuery, kw_only=True):
    """Which bookmarks: with a text in name or note, of a colour, or only your own."""

    q: Annotated[str, Meta(max_length=100, pattern="^[^\\x00]*$")] = ""
    color: Color = ""
    own: bool = False

    def narrowing(self, session: str) -> Narrowing:
        """What the selector takes."""
        return Narrowing(session=session, text=self.q, color=self.color, is_own=self.own)


class BookmarksQuery(SessionBookmarksQuery, kw_only=True):
    """The same, of all sessions or of one."""

    session: Annotated[str, Meta(max_length=128)] = ""


class BookmarkInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    A place to keep: a message, or the event at a position of the ledger; one of the two.

    Without a colour it is the first of those that are offered.
    """

    message: UUID | None = None
    seq: Seq | None = None
    name: Name = ""
    note: Note = ""
    color: Color = ""
    is_shared: bool = False

    def mark(self) -> Mark:
        """What the service takes."""
        return Mark(
            message=str(self.message) if self.message else "",
            seq=self.seq,
            name=self.name,
            note=self.note,
            color=self.color,
            is_shared=self.is_shared,
        )


class BookmarkChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change; the place stays."""

    name: Name | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    color: Color | UnsetType = UNSET
    is_shared: bool | UnsetType = UNSET

    def given(self) -> dict[str, Any]:
        """Only what was said."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not UNSET}


class Bookmarks(Endpoint):
    """Your bookmarks and those that others share."""

    @operation(
        "bookmarks.list",
        tag="bookmarks",
        query=BookmarksQuery,
        fields=BookmarkDocument,
        answers={200: BookmarkPage},
    )
    def get(self, _request: Request) -> Response:
        """List the bookmarks of all your sessions, the newest first."""
        query = self.asked(BookmarksQuery)
        return _page(self.principal, query, query.narrowing(query.session))


class SessionBookmarks(Endpoint):
    """The bookmarks of a session."""

    examples: ClassVar[Mapping[str, Any]] = {
        "POST": {"seq": 1, "name": "Where it began", "is_shared": True}
    }

    @operation(
        "sessions.bookmarks.list",
        tag="bookmarks",
        query=SessionBookmarksQuery,
        fields=BookmarkDocument,
        answers={200: BookmarkPage},
    )
    def get(self, _request: Request, session: str) -> Response:
        """List yours and those that others share, the newest first."""
        query = self.asked(SessionBookmarksQuery)
        return _page(self.principal, query, query.narrowing(session))

    @operation(
        "sessions.bookmarks.create",
        tag="bookmarks",
        body=BookmarkInput,
        answers={201: BookmarkDocument},
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Keep a message or an event; one of a kind is yours only once."""
        mark = self.ordered(BookmarkInput).mark()
        made = bookmarks.create(principal=self.principal, session=session, mark=mark).bookmark
        response = Response(shown(made, self.principal), status=201)
        response["Location"] = f"/api/v1/bookmarks/{made.pk}"
        return response


class OneBookmark(Endpoint):
    """One bookmark."""

    examples: ClassVar[Mapping[str, Any]] = {"PATCH": {"note": "The feed froze here."}}

    @operation("bookmarks.read", tag="bookmarks", answers={200: BookmarkDocument})
    def get(self, _request: Request, bookmark: str) -> Response:
        """Read a bookmark."""
        return Response(shown(reading.find(self.principal, bookmark), self.principal))

    @operation(
        "bookmarks.change", tag="bookmarks", body=BookmarkChanges, answers={200: BookmarkDocument}
    )
    def patch(self, _request: Request, bookmark: str) -> Response:
        """Change what your bookmark says, or who sees it."""
        changes = self.ordered(BookmarkChanges).given()
        done = bookmarks.change(principal=self.principal, bookmark=bookmark, changes=changes)
        return Response(shown(done.bookmark, self.principal))

    @operation("bookmarks.remove", tag="bookmarks", answers={204: None})
    def delete(self, _request: Request, bookmark: str) -> Response:
        """Remove your bookmark."""
        bookmarks.remove(principal=self.principal, bookmark=bookmark)
        return Response(status=204)


def _page(principal: Principal, query: PageQuery, by: Narrowing) -> Response:
    rows = reading.narrowed(principal, by)
    page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
    data = [shown(one, principal) for one in page.rows]
    return Response({"data": codecs.pick(data, query.fields, BookmarkDocument), "next": page.next})


def shown(row: Bookmark, principal: Principal) -> dict[str, Any]:
    """A bookmark as every interface shows it to somebody."""
    names = ("message_id", "seq", "name", "note", "color", "is_shared", "author")
    return codecs.show(
        BookmarkDocument(
            id=row.pk,
            session_id=row.session_id,
            session_key=row.session.key,
            place=row.message.place if row.message else None,
            is_own=row.owner == principal.id,
            created_at=row.created_at,
            updated_at=row.updated_at,
            **{name: getattr(row, name) for name in names},
        )
    )
