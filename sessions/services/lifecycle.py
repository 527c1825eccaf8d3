"""The one writer of a session's state."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from aegis_project import database
from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from components.services import standing
from sessions.core import conditions, lifecycle, texts
from sessions.core.errors import ComponentLost, StartTimeout
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import ending, moving, replays
from sessions.services.outcome import Outcome
from streaming import hints
from streaming.services.commands import command
from streaming.sources.clock_range import Instant

Reference = moving.Reference
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
    row = moving.locked(principal, session)
    previous = row.state
    moving.refuse_unless_legal(row, "start")
    replays.run_on(row)
    if row.state == State.RUNNING or row.is_starting:
        return Outcome(row, previous, is_pending=row.is_starting)
    replays.check_files(row)
    texts.check(reason=reason)
    row.reason = reason
    return Outcome(row, previous, is_pending=moving.begin(row, actor=principal.actor))


@command("session.restart", scope="sessions:control")
def restart(
    *,
    principal: Principal,
    session: Reference,
    from_: Instant | None = None,
    to: Instant | None = None,
    reason: str = "",
) -> Outcome:
    """
    Begin anew, in a new activation: a source from the beginning of its range, with new epochs.

    ``from_`` and ``to`` (unix ms or ISO 8601, 0 for an open end) change the range, ``None``
    leaves an end where it is. Then it goes on as any start, and may wait for components.

    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it never started, or is closed and no replay that was completed
    :raises ValidationFailed: for a range that cannot be, or that there is no source for
    :raises TopicNotFound: if a topic of its source has no file
    """
    row = moving.locked(principal, session)
    previous = row.state
    moving.refuse_unless_legal(row, "restart")
    texts.check(reason=reason)
    standing.lock(session_id=row.pk)
    replays.restart(row, from_=from_, to=to)
    if row.is_starting:
        moving.withdraw(row, "restart", actor=principal.actor)
    # The end of the old activation: whoever is ready now takes part in the new one.
    standing.hold_running(session_id=row.pk, actor=principal.actor)
    row.reason, row.result, row.error = reason, None, None
    return Outcome(row, previous, is_pending=_begin_anew(row, actor=principal.actor))


def _begin_anew(row: Session, *, actor: str) -> bool:
    previous, now = row.state, timezone.now()
    missing = conditions.missing(moving.participants(row))
    if not missing:
        row.restart(at=now)
        moving.carry_out(row, previous=previous, actor=actor)
        return False
    if row.await_restart(at=now):
        moving.carry_out(row, previous=previous, actor=actor)
    moving.request_start(row, missing, actor=actor)
    return True


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
    row = moving.locked(principal, session)
    previous = row.state
    ending.halt(row, "delete", actor=principal.actor)
    if row.is_starting:
        moving.withdraw(row, "delete", actor=principal.actor)
    if State(row.state) in lifecycle.OPEN:
        row.reason = "deleted"
        moving.follow(row, "end", actor=principal.actor)
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
        row = next(iter(_present(pk=UUID(str(session_id)))), None)
        if row is None:
            return False
        if row.is_starting:
            return _settle_start(row)
        if row.state == State.RUNNING:
            return _settle_running(row)
    return False


_present = Prepared(
    lambda pk: Session.objects.present().filter(pk=pk).select_for_update(of=("self",), no_key=True)
)


def _settle_start(row: Session) -> bool:
    missing = conditions.missing(moving.participants(row))
    if not missing:
        moving.run(row, actor=ACTOR)
    elif row.start_deadline_at is not None and row.start_deadline_at <= timezone.now():
        late = StartTimeout(f"Not ready in time: {', '.join(missing)}.", missing=missing)
        ending.halt(row, "fail", actor=ACTOR)
        moving.fail(row, late, actor=ACTOR)
    else:
        return False
    return True


def _settle_running(row: Session) -> bool:
    failed = standing.failed(session_id=row.pk)
    if failed:
        lost = ComponentLost(f"Required and lost: {', '.join(failed)}.", components=failed)
        ending.halt(row, "fail", actor=ACTOR)
        moving.fail(row, lost, actor=ACTOR)
        return True
    return bool(standing.run_ready(session_id=row.pk, actor=ACTOR))


def _halt(
    principal: Principal, session: Reference, verb: str, *, reason: str, **outcome: Any
) -> Outcome:
    row = moving.locked(principal, session)
    previous = row.state
    was_starting = row.is_starting
    moving.refuse_unless_legal(row, verb)
    if _moves(row, verb):
        ending.halt(row, verb, actor=principal.actor)
    if was_starting:
        moving.withdraw(row, verb, actor=principal.actor)
    if verb in lifecycle.TRANSITIONS[State(row.state)]:
        _describe(row, verb, reason, outcome)
        moving.follow(row, verb, actor=principal.actor)
    return Outcome(row, previous)


def _moves(row: Session, verb: str) -> bool:
    """Whether the verb leads to another state, and not only withdraws a start or does nothing."""
    return lifecycle.TRANSITIONS[State(row.state)].get(verb, row.state) != row.state


def _describe(row: Session, verb: str, reason: str, outcome: Mapping[str, Any]) -> None:
    if not _moves(row, verb):
        return
    texts.check(reason=reason)
    row.reason = reason
    for name, value in outcome.items():
        setattr(row, name, value)
