"""Removing for good what is over for long enough; the audit keeps that it was there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from aegis_project.kit.principal import Principal
from components.core.scopes import INSTANCE
from sessions.core.errors import SessionNotFound
from sessions.files import folders, storage
from sessions.models import Session
from sessions.selectors import purging as selecting
from sessions.selectors.purging import Weight, Wish
from streaming.services.commands import Trace, command

MOST = 1000
"""Of one order; whoever wants more asks again."""


@dataclass(frozen=True, slots=True)
class Purged:
    """A session that is gone, and what went with it."""

    weight: Weight
    session_id: UUID

    def audit(self) -> Trace:
        held = self.weight
        counted = ("events", "records", "messages", "files", "bytes")
        detail = {name: getattr(held, name) for name in counted}
        return Trace(session_id=self.session_id, target=held.session.key, detail=detail)


def purge(
    *,
    principal: Principal,
    wish: Wish,
    is_dry: bool,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Weight]:
    """
    Remove the sessions that are over for long enough with all that is theirs, or say which.

    Each is a transaction of its own, in which it is judged once more.

    :raises PermissionDenied: without the right, which nobody can be given
    :raises ValidationFailed: for a wish that cannot be
    """
    principal.require(INSTANCE)
    wish.check()
    due = list(selecting.due(wish, now=timezone.now())[:MOST])
    if is_dry:
        return [selecting.weight(one) for one in due]
    done: list[Weight] = []
    for number, one in enumerate(due):
        if progress is not None:
            progress("sessions", number, len(due))
        try:
            done.append(_remove(principal=principal, session=one, wish=wish).weight)
        except SessionNotFound:
            # Somebody else has removed it, or needs it by now.
            continue
    return done


@command("session.purge", scope=INSTANCE)
def _remove(*, principal: Principal, session: Session, wish: Wish) -> Purged:
    rows = Session.objects.select_for_update(of=("self",)).filter(pk=session.pk)
    if rows.first() is None or not _is_due(session, wish):
        raise SessionNotFound(session=session.key)
    weight, session_id = selecting.weight(session), session.pk
    paths = list(selecting.paths(session_id))
    # Of rows that nothing else hangs on, a database forgets many at once.
    Session.objects.filter(pk=session_id).delete()
    transaction.on_commit(lambda: _forget(session_id, paths))
    return Purged(weight, session_id)


def _is_due(session: Session, wish: Wish) -> bool:
    found: Any = selecting.due(wish, now=timezone.now())
    return bool(found.filter(pk=session.pk).exists())


def _forget(session_id: UUID, paths: list[str]) -> None:
    for path in paths:
        storage.remove(path)
    folders.remove(session_id)
