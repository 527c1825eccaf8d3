"""Keeping bookmarks: making, changing and removing one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import bookmarks
from sessions.core.bookmarks import MOST_IN_A_SESSION
from sessions.core.library_errors import BookmarkAlreadyExists
from sessions.models import Bookmark, Message, Session
from sessions.selectors import bookmarks as reading
from sessions.selectors import history, sessions, timeline
from sessions.services.moving import Reference
from streaming.services.commands import Trace, command

# Whoever may read may keep a place; to put something before others needs the right to write.
SCOPE, SHARING = "sessions:read", "sessions:write"
EDITABLE = ("name", "note", "color", "is_shared")


@dataclass(frozen=True, slots=True)
class Mark:
    """A bookmark to be: of a ``message`` or of the event at ``seq``, one of the two."""

    message: str = ""
    seq: int | None = None
    name: str = ""
    note: str = ""
    color: str = ""
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A bookmark that was made, changed or removed."""

    bookmark: Bookmark

    def audit(self) -> Trace:
        row = self.bookmark
        detail = {"of": row.where, "name": row.name, "is_shared": row.is_shared}
        return Trace(session_id=row.session_id, target=row.session.key, detail=detail)


@command("bookmark.create", scope=SCOPE)
def create(*, principal: Principal, session: Reference, mark: Mark) -> Kept:
    """
    Keep a place in a session, in whatever state it is; the session and its ledger stay as they are.

    :raises PermissionDenied: without messages:read or events:read, whichever it is of; to share
        one without sessions:write
    :raises SessionNotFound: if the session is not there for the principal
    :raises MessageNotFound: if the session has no such message
    :raises ValidationFailed: unless it is of one thing that there is, and for what it may not say
    :raises BookmarkAlreadyExists: if the principal has one of this
    """
    row = sessions.find(principal, session)
    made = Bookmark(
        session=row,
        message=_message(principal, row, mark),
        seq=_seq(principal, row, mark),
        owner=principal.id,
        author=principal.actor,
    )
    _say(made, principal, {name: getattr(mark, name) for name in EDITABLE})
    if Bookmark.objects.filter(session=row, owner=principal.id).count() >= MOST_IN_A_SESSION:
        raise ValidationFailed(
            f"Nobody has more than {MOST_IN_A_SESSION} bookmarks in a session.",
            most=MOST_IN_A_SESSION,
        )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        raise BookmarkAlreadyExists(of=made.where) from None
    return Kept(made)


@command("bookmark.change", scope=SCOPE)
def change(*, principal: Principal, bookmark: str, changes: Mapping[str, Any]) -> Kept:
    """
    Change what one's own bookmark says, or who sees it.

    :raises BookmarkNotFound: if it is not there for the principal
    :raises PermissionDenied: if it is somebody else's; to share one without sessions:write
    :raises ValidationFailed: for another field, or a value that cannot be
    """
    row = _own(principal, bookmark)
    unknown = sorted(changes.keys() - set(EDITABLE))
    if unknown:
        raise ValidationFailed("Only what a bookmark says can change.", fields=unknown)
    _say(row, principal, changes)
    row.save()
    return Kept(row)


@command("bookmark.remove", scope=SCOPE)
def remove(*, principal: Principal, bookmark: str) -> Kept:
    """
    Remove one's own bookmark.

    :raises BookmarkNotFound: if it is not there for the principal
    :raises PermissionDenied: if it is somebody else's
    """
    row = _own(principal, bookmark)
    Bookmark.objects.filter(pk=row.pk).delete()
    return Kept(row)


def _message(principal: Principal, session: Session, mark: Mark) -> Message | None:
    if bool(mark.message) == (mark.seq is not None):
        raise ValidationFailed(
            "A bookmark is of a message or of an event, one of the two.", fields=["message", "seq"]
        )
    if not mark.message:
        return None
    principal.require("messages:read")
    return history.find(session.pk, mark.message)


def _seq(principal: Principal, session: Session, mark: Mark) -> int | None:
    if mark.seq is None:
        return None
    principal.require("events:read")
    if timeline.at(session.pk, mark.seq) is None:
        raise ValidationFailed("The ledger has no event at this place.", field="seq")
    return mark.seq


def _say(row: Bookmark, principal: Principal, said: Mapping[str, Any]) -> None:
    if said.get("is_shared") and not row.is_shared:
        principal.require(SHARING)
    for name, value in said.items():
        setattr(row, name, value)
    bookmarks.check(name=row.name, note=row.note)
    row.color = bookmarks.colour(row.color)


def _own(principal: Principal, bookmark: str) -> Bookmark:
    found = reading.find(principal, bookmark)
    if found.owner != principal.id:
        raise PermissionDenied("Only its owner changes a bookmark.", bookmark=bookmark)
    return found
