"""Reading bookmarks: one's own and those that others share, in the sessions that one sees."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from aegis_project.kit.principal import Principal
from sessions.core import bookmarks, keys
from sessions.core.library_errors import BookmarkNotFound
from sessions.models import Bookmark, Session
from sessions.selectors import sessions

# Beside a timeline stand no more than the eye can take in.
FLAGS = 50


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which bookmarks: ``text`` stands in the name or note; ``is_own`` leaves out those of others."""

    session: str = ""
    text: str = ""
    color: str = ""
    is_own: bool = False


def readable(principal: Principal) -> QuerySet[Bookmark]:
    """
    The bookmarks that the principal sees.

    One of a message is there for who may read messages, one of an event for who may read events.

    :raises PermissionDenied: without the scope sessions:read
    """
    principal.require("sessions:read")
    seen = sessions.visible(principal).values("pk")
    rows = Bookmark.objects.for_owner(principal.id).filter(session__in=seen)
    if not principal.allows("messages:read"):
        rows = rows.filter(message=None)
    if not principal.allows("events:read"):
        rows = rows.filter(seq=None)
    return rows.select_related("session", "message").defer("message__content", "message__metadata")


def narrowed(principal: Principal, by: Narrowing) -> QuerySet[Bookmark]:
    """
    Those of them that are wanted.

    :raises PermissionDenied: without the scope sessions:read
    :raises SessionNotFound: if the session is not there for the principal
    :raises ValidationFailed: for what is no colour
    """
    rows = readable(principal)
    if by.session:
        rows = rows.filter(session=sessions.find(principal, by.session))
    if by.is_own:
        rows = rows.filter(owner=principal.id)
    if by.color:
        rows = rows.filter(color=bookmarks.colour(by.color))
    if by.text:
        rows = rows.filter(Q(name__icontains=by.text) | Q(note__icontains=by.text))
    return rows


def find(principal: Principal, bookmark: str) -> Bookmark:
    """
    One bookmark by its id.

    :raises PermissionDenied: without the scope sessions:read
    :raises BookmarkNotFound: if it is not there for the principal
    """
    uuid = keys.as_uuid(bookmark)
    found = readable(principal).filter(pk=uuid).first() if uuid else None
    if found is None:
        raise BookmarkNotFound(bookmark=bookmark[:100])
    return found


def flags(principal: Principal, session: Session) -> list[Bookmark]:
    """The bookmarks that stand beside a session's timeline, the newest first."""
    rows = readable(principal).filter(session=session)
    return list(rows.order_by("-created_at", "-pk")[:FLAGS])
