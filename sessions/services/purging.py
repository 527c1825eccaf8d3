"""Removing for good what is over for long enough; the audit keeps that it was there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from aegis_project.kit.principal import Principal
from components.core.scopes import INSTANCE
from sessions.core.errors import SessionNotFound
from sessions.core.events import WorkEvent
from sessions.files import folders, storage
from sessions.models import Artifact, Session
from sessions.selectors import pruning
from sessions.selectors import purging as selecting
from sessions.selectors.purging import Weight, What, Wish
from streaming.services import ledger
from streaming.services.commands import Trace, command

MOST = 1000
"""Of one order; whoever wants more asks again."""


@dataclass(frozen=True, slots=True)
class Purged:
    """A session that is gone, or lost something, and what went."""

    weight: Weight
    session_id: UUID
    counted: tuple[str, ...] = ("events", "records", "messages", "files", "bytes")

    def audit(self) -> Trace:
        held = self.weight
        detail = {name: getattr(held, name) for name in self.counted}
        return Trace(session_id=self.session_id, target=held.session.key, detail=detail)


def purge(
    *,
    principal: Principal,
    wish: Wish,
    is_dry: bool,
    most: int = MOST,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Weight]:
    """
    Remove what the wish names of the sessions that are over for long enough, or say what.

    Each session is a transaction of its own, in which it is judged once more.

    :raises PermissionDenied: without the right, which nobody can be given
    :raises ValidationFailed: for a wish that cannot be
    """
    principal.require(INSTANCE)
    wish.check()
    due = list(selecting.due(wish, now=timezone.now())[:most])
    if is_dry:
        return [selecting.weight(one, wish.what) for one in due]
    done: list[Weight] = []
    for number, one in enumerate(due):
        if progress is not None:
            progress("sessions", number, len(due))
        try:
            done.append(REMOVERS[wish.what](principal=principal, session=one, wish=wish).weight)
        except SessionNotFound:
            # Somebody else has removed it, or needs it by now.
            continue
    return done


@command("session.purge", scope=INSTANCE)
def _remove(*, principal: Principal, session: Session, wish: Wish) -> Purged:
    _judge(session, wish)
    weight, session_id = selecting.weight(session), session.pk
    paths = list(selecting.paths(session_id))
    # Of rows that nothing else hangs on, a database forgets many at once.
    Session.objects.filter(pk=session_id).delete()
    transaction.on_commit(lambda: _forget(session_id, paths))
    return Purged(weight, session_id)


@command("events.purge", scope=INSTANCE)
def _shorten(*, principal: Principal, session: Session, wish: Wish) -> Purged:
    _judge(session, wish)
    weight = selecting.weight(session, What.EVENTS)
    ledger.shorten(session_id=session.pk, start=pruning.bound(session.pk))
    return Purged(weight, session.pk, ("events", "bytes"))


@command("artifacts.purge", scope=INSTANCE)
def _clear(*, principal: Principal, session: Session, wish: Wish) -> Purged:
    _judge(session, wish)
    weight = selecting.weight(session, What.ARTIFACTS)
    files = list(pruning.unmarked().filter(session=session).order_by("name", "version"))
    Artifact.objects.filter(pk__in=[one.pk for one in files]).delete()
    told = [
        (
            WorkEvent.ARTIFACT_DELETED.value,
            {"artifact": one.pk, "name": one.name, "version": one.version},
        )
        for one in files
    ]
    ledger.extend(session_id=session.pk, actor=principal.actor, told=told)
    transaction.on_commit(lambda: _remove_files([one.path for one in files]))
    return Purged(weight, session.pk, ("files", "bytes"))


class Remover(Protocol):
    """What removes something of a session that is due, or the session."""

    def __call__(self, *, principal: Principal, session: Session, wish: Wish) -> Purged: ...


REMOVERS: Mapping[What, Remover] = {
    What.SESSIONS: _remove,
    What.EVENTS: _shorten,
    What.ARTIFACTS: _clear,
}


def _judge(session: Session, wish: Wish) -> None:
    """
    Go on only if the session is still due, of which nobody decides otherwise meanwhile.

    :raises SessionNotFound: if it is not
    """
    rows = Session.objects.select_for_update(of=("self",)).filter(pk=session.pk)
    if rows.first() is None or not _is_due(session, wish):
        raise SessionNotFound(session=session.key)


def _is_due(session: Session, wish: Wish) -> bool:
    found: Any = selecting.due(wish, now=timezone.now())
    return bool(found.filter(pk=session.pk).exists())


def _forget(session_id: UUID, paths: list[str]) -> None:
    _remove_files(paths)
    folders.remove(session_id)


def _remove_files(paths: list[str]) -> None:
    for path in paths:
        storage.remove(path)
