"""How a session moves: its row, its components and its ledger, in the caller's transaction."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from aegis_project.kit.errors import AegisError, InvalidState
from aegis_project.kit.principal import Principal
from components.models import Component
from components.services import launches, standing
from sessions.core import conditions, conversation, texts
from sessions.core.checkpoints import Moment
from sessions.core.conditions import Participant
from sessions.core.events import SessionEvent
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services import deadlines, taking, telling

Reference = Session | UUID | str

MOVES = {
    State.RUNNING: standing.run_ready,
    State.PAUSED: standing.hold_running,
    State.FAILED: standing.hold_running,
    State.STOPPED: standing.release,
    State.COMPLETED: standing.release,
    State.ENDED: standing.release,
}


def locked(principal: Principal, session: Reference) -> Session:
    """
    The session, locked until the transaction ends.

    :raises SessionNotFound: if it is not there for the principal
    """
    return Session.objects.locked(sessions.find(principal, session).pk)


def refuse_unless_legal(row: Session, verb: str) -> None:
    """
    Go on only with a command that is legal now.

    :raises InvalidState: with ``from``, ``command`` and ``allowed``
    """
    if verb not in row.legal():
        raise illegal(row, verb)


def illegal(row: Session, verb: str, why: str = "") -> InvalidState:
    """The refusal of a command that is not legal now."""
    return InvalidState(
        why or f"Cannot {verb} while {row.state}.",
        **{"from": row.state, "command": verb, "allowed": row.legal()},
    )


def participants(row: Session) -> tuple[Participant, ...]:
    """What conditions need to know of its components."""
    rows = Component.objects.of_session(row.pk).values_list("name", "state", "required")
    return tuple(Participant(name=n, state=s, required=r) for n, s, r in rows)


def begin(row: Session, *, actor: str) -> bool:
    """Run at once when nobody required is missing, else wait for them; whether it waits."""
    launches.want(row)
    missing = conditions.missing(participants(row))
    if missing:
        request_start(row, missing, actor=actor)
    else:
        run(row, actor=actor)
    return bool(missing)


def request_start(row: Session, missing: list[str], *, actor: str) -> None:
    """Accept a start that waits for those who are missing, up to its deadline."""
    now = timezone.now()
    row.start_requested_at = now
    row.start_deadline_at = now + timedelta(seconds=settings.ENVIRONMENT.start_seconds)
    row.save()
    telling.tell(
        row,
        SessionEvent.START_REQUESTED,
        actor=actor,
        missing=missing,
        deadline_at=row.start_deadline_at,
    )


def withdraw(row: Session, verb: str, *, actor: str) -> None:
    """Take a pending start back, because another command came."""
    # What follows may move components, and they are locked before the head of the ledger.
    standing.lock(session_id=row.pk)
    clear_start(row)
    row.save()
    telling.tell(row, SessionEvent.START_WITHDRAWN, actor=actor, by=verb)


def clear_start(row: Session) -> None:
    """Forget, in memory, that a start waits."""
    row.start_requested_at = row.start_deadline_at = None


def run(row: Session, *, actor: str) -> None:
    """Run the session and all who are ready."""
    clear_start(row)
    row.error = None
    # Whoever starts it uses it: an expiry that slides begins anew.
    row.expires_at = conversation.expiry(row.config, now=timezone.now()) or row.expires_at
    follow(row, "start", actor=actor)


def fail(row: Session, error: AegisError, *, actor: str) -> None:
    """Fail the session by itself."""
    previous = row.state
    row.error, row.reason = error.as_dict(), error.message[: texts.LIMITS["reason"]]
    clear_start(row)
    if previous == State.FAILED:
        # A start from failed that timed out: the state stays, but that it failed again is told.
        row.save()
        telling.tell_move(row, previous=previous, actor=actor)
    else:
        follow(row, "fail", actor=actor)


def follow(row: Session, verb: str, *, actor: str) -> None:
    """Move the session and its components, and tell it; nothing when it is a no-op."""
    previous = row.state
    if row.follow(verb, at=timezone.now()):
        carry_out(row, previous=previous, actor=actor)


def carry_out(row: Session, *, previous: str, actor: str) -> None:
    """Save a session that has moved, move with it what takes part in it, and tell it."""
    row.save()
    if row.state == State.PAUSED:
        deadlines.stand(row.pk, at=row.state_changed_at)
    elif previous == State.PAUSED:
        deadlines.go_on(row.pk, at=row.state_changed_at)
    MOVES[State(row.state)](session_id=row.pk, actor=actor)
    telling.tell_move(row, previous=previous, actor=actor)
    if row.state == State.PAUSED:
        taking.note(row.pk, Moment.PAUSE)
