"""The one writer of a session's state."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import AegisError, InvalidState
from aegis_project.kit.principal import Principal
from components.models import Component
from components.services import launches, standing
from sessions.core import conditions, lifecycle, texts
from sessions.core.conditions import Participant
from sessions.core.errors import ComponentLost, StartTimeout
from sessions.core.events import SessionEvent
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services import replays, telling
from sessions.services.outcome import Outcome
from streaming import hints
from streaming.services.commands import command

Reference = Session | UUID | str
ACTOR = "system:lifecycle"


@command("session.start", scope="sessions:control")
def start(*, principal: Principal, session: Reference, reason: str = "") -> Outcome:
    """
    Run the session, at once when nobody required is missing, else when they are ready.

    A second start joins the first. Whoever waits looks for the state of the session.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it is closed
    :raises TopicNotFound: if it is historical and a topic of its source has no file
    """
    row = _locked(principal, session)
    previous = row.state
    _refuse_unless_legal(row, "start")
    if row.state == State.RUNNING or row.is_starting:
        return Outcome(row, previous, is_pending=row.is_starting)
    replays.check_files(row)
    texts.check(reason=reason)
    row.reason = reason
    launches.want(row)
    missing = conditions.missing(_participants(row))
    if missing:
        _request_start(row, missing, principal.actor)
        return Outcome(row, previous, is_pending=True)
    _run(row, principal.actor)
    return Outcome(row, previous)


@command("session.pause", scope="sessions:control")
def pause(*, principal: Principal, session: Reference, reason: str = "") -> Outcome:
    """
    Hold the session: gates close, sockets stay; a pending start is withdrawn.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it neither runs nor starts
    """
    return _halt(principal, session, "pause", reason=reason)


@command("session.stop", scope="sessions:control")
def stop(*, principal: Principal, session: Reference, reason: str = "") -> Outcome:
    """
    Release the participants; the session can be started again.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it never started or is closed
    """
    return _halt(principal, session, "stop", reason=reason)


@command("session.fail", scope="sessions:control")
def fail(
    *, principal: Principal, session: Reference, error: Mapping[str, Any], reason: str = ""
) -> Outcome:
    """
    Note that the session broke: gates close, otherwise components stay as they are.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it is closed
    """
    return _halt(principal, session, "fail", reason=reason, error=dict(error))


@command("session.complete", scope="sessions:control")
def complete(
    *, principal: Principal, session: Reference, result: Any = None, reason: str = ""
) -> Outcome:
    """
    Finish the session with a result.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it failed or was ended
    """
    return _halt(principal, session, "complete", reason=reason, result=result)


@command("session.end", scope="sessions:control")
def end(*, principal: Principal, session: Reference, reason: str = "") -> Outcome:
    """
    Close the session without a result.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it was completed
    """
    return _halt(principal, session, "end", reason=reason)


@command("session.delete", scope="sessions:control")
def delete(*, principal: Principal, session: Reference) -> Outcome:
    """
    End an open session and hide it; its rows leave by retention.

    :raises SessionNotFound: if it is not there for the principal
    """
    row = _locked(principal, session)
    previous = row.state
    if row.is_starting:
        _withdraw(row, "delete", principal.actor)
    if State(row.state) in lifecycle.OPEN:
        row.reason = "deleted"
        _follow(row, "end", principal.actor)
    row.deleted_at = timezone.now()
    row.save()
    hints.send(hints.Hint("lever", str(row.pk)))
    return Outcome(row, previous)


def settle(*, session_id: UUID | str) -> bool:
    """
    Bring a session up to what its components say; whether anything moved.

    A start that waited runs once nobody is missing, later components run as they become ready,
    a required one that failed fails the session, a start past its deadline fails. It is called
    after each event of a component and, because that may be missed, by a sweep.
    """
    with database.atomic():
        row = (
            Session.objects.present()
            .select_for_update(of=("self",), no_key=True)
            .filter(pk=session_id)
            .first()
        )
        if row is None:
            return False
        if row.is_starting:
            return _settle_start(row)
        if row.state == State.RUNNING:
            return _settle_running(row)
    return False


def _settle_start(row: Session) -> bool:
    missing = conditions.missing(_participants(row))
    if not missing:
        _run(row, ACTOR)
    elif row.start_deadline_at is not None and row.start_deadline_at <= timezone.now():
        _fail(row, StartTimeout(f"Not ready in time: {', '.join(missing)}.", missing=missing))
    else:
        return False
    return True


def _settle_running(row: Session) -> bool:
    failed = [one.name for one in _participants(row) if one.required and one.state == "failed"]
    if failed:
        _fail(row, ComponentLost(f"Required and lost: {', '.join(failed)}.", components=failed))
        return True
    return bool(standing.run_ready(session_id=row.pk, actor=ACTOR))


def _fail(row: Session, error: AegisError) -> None:
    previous = row.state
    row.error, row.reason = error.as_dict(), error.message[: texts.LIMITS["reason"]]
    _clear_start(row)
    if previous == State.FAILED:
        # A start from failed that timed out: the state stays, but that it failed again is told.
        row.save()
        telling.tell_move(row, previous=previous, actor=ACTOR)
    else:
        _follow(row, "fail", ACTOR)


def _halt(
    principal: Principal, session: Reference, verb: str, *, reason: str, **outcome: Any
) -> Outcome:
    row = _locked(principal, session)
    previous = row.state
    was_starting = row.is_starting
    _refuse_unless_legal(row, verb)
    if was_starting:
        _withdraw(row, verb, principal.actor)
    if verb in lifecycle.TRANSITIONS[State(row.state)]:
        _describe(row, verb, reason, outcome)
        _follow(row, verb, principal.actor)
    return Outcome(row, previous)


def _describe(row: Session, verb: str, reason: str, outcome: Mapping[str, Any]) -> None:
    if lifecycle.TRANSITIONS[State(row.state)][verb] == row.state:
        return
    texts.check(reason=reason)
    row.reason = reason
    for name, value in outcome.items():
        setattr(row, name, value)


def _locked(principal: Principal, session: Reference) -> Session:
    return Session.objects.locked(sessions.find(principal, session).pk)


def _refuse_unless_legal(row: Session, verb: str) -> None:
    legal = row.legal()
    if verb not in legal:
        raise InvalidState(
            f"Cannot {verb} while {row.state}.",
            **{"from": row.state, "command": verb, "allowed": legal},
        )


def _participants(row: Session) -> tuple[Participant, ...]:
    rows = Component.objects.of_session(row.pk).values_list("name", "state", "required")
    return tuple(Participant(name=n, state=s, required=r) for n, s, r in rows)


def _request_start(row: Session, missing: list[str], actor: str) -> None:
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


def _withdraw(row: Session, verb: str, actor: str) -> None:
    # What follows may move components, and they are locked before the head of the ledger.
    standing.lock(session_id=row.pk)
    _clear_start(row)
    row.save()
    telling.tell(row, SessionEvent.START_WITHDRAWN, actor=actor, by=verb)


def _clear_start(row: Session) -> None:
    row.start_requested_at = row.start_deadline_at = None


def _run(row: Session, actor: str) -> None:
    _clear_start(row)
    row.error = None
    _follow(row, "start", actor)


def _follow(row: Session, verb: str, actor: str) -> None:
    """Move the session and its components, and tell it; nothing when it is a no-op."""
    previous = row.state
    if not row.follow(verb, at=timezone.now()):
        return
    row.save()
    MOVES[State(row.state)](session_id=row.pk, actor=actor)
    telling.tell_move(row, previous=previous, actor=actor)


MOVES = {
    State.RUNNING: standing.run_ready,
    State.PAUSED: standing.hold_running,
    State.FAILED: standing.hold_running,
    State.STOPPED: standing.release,
    State.COMPLETED: standing.release,
    State.ENDED: standing.release,
}
