"""Who works on which run: claiming, letting go, waiting, and taking over from whoever is gone."""

from dataclasses import dataclass
from typing import Any, TypedDict
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from aegis_project import database, statements
from aegis_project.kit.errors import AegisError
from aegis_project.prepared import Prepared
from sessions import metrics
from sessions.core import run_log
from sessions.core.checkpoints import Moment
from sessions.core.errors import WorkerLost
from sessions.core.events import WorkEvent
from sessions.core.runs import MAX_ATTEMPTS, State, Waiting
from sessions.core.tool_calls import State as CallState
from sessions.models import Run, ToolCall
from sessions.selectors import blocking, work
from sessions.selectors import tool_calls as asked
from sessions.services import ending, taking, tool_calls
from sessions.services import run_log as logs
from sessions.services.run_log import Superseded
from streaming import hints
from streaming.services import ledger

__all__ = ["Claimed", "Own", "Superseded", "claim", "release", "take_over", "wait"]

ACTOR = "system:worker"


class Own(TypedDict):
    """A run, and the fence under which it is a worker's own."""

    run_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that this process works on until it lets go, under this fence."""

    run_id: UUID
    session_id: UUID
    fence: int
    attempt: int


def claim(*, lease_id: UUID, limit: int) -> list[Claimed]:
    """
    Take up to ``limit`` queued runs for the process of this lease, the oldest first.

    What an earlier attempt said since its last safe point is void from now on; the log says so.
    """
    found: list[Claimed] = []
    # Asked outside of a transaction: nobody waits on SQLite for an answer that is mostly no.
    for _ in range(min(limit, work.count_due())):
        taken = _claim_one(lease_id)
        if taken is None:
            break
        found.append(taken)
    return found


def release(
    *, run_id: UUID, fence: int, reason: str, is_safe: bool = False, seconds: float = 0.0
) -> bool:
    """
    Put a working run back into the queue; False when it was not this worker's any more.

    ``is_safe`` says that it stands at a safe point, so that nothing it said becomes void, and
    ``seconds`` how long it was worked on since that was last written.
    """
    with database.atomic():
        try:
            run = logs.held(run_id, fence=fence)
        except Superseded:
            return False
        run.worked_seconds += seconds
        _let_go(run, reason=reason)
        if is_safe:
            run.safe_seq = logs.head(run)
            run.save(update_fields=["safe_seq"])
        return True


def wait(
    *,
    run_id: UUID,
    fence: int,
    waiting_for: Waiting | None = None,
    error: AegisError | None = None,
    seconds: float = 0.0,
) -> bool:
    """
    Let a working run wait, at a safe point; False if there is nothing to wait for any more.

    Without ``waiting_for`` it is what its tool calls wait for.

    :raises Superseded: if it was not this worker's any more
    """
    with database.atomic():
        run = logs.held(run_id, fence=fence)
        found = waiting_for or blocking.waits_for(run)
        if found is None:
            return False
        run.worked_seconds += seconds
        _wait(run, found, error)
        run.safe_seq = logs.head(run)
        run.save(update_fields=["safe_seq"])
        return True


def fail(*, run_id: UUID, fence: int, error: AegisError, seconds: float = 0.0) -> bool:
    """Fail a working run; False when it was not this worker's any more."""
    with database.atomic():
        try:
            run = logs.held(run_id, fence=fence)
        except Superseded:
            return False
        run.worked_seconds += seconds
        ending.fail([run], error, actor=ACTOR)
        return True


def take_over(*, run_id: UUID) -> bool:
    """
    Let another worker have the run of a process that is gone; whether it had to be.

    Tool calls whose effect had begun are unknown from now on, and the run waits for a person to
    say what happened. A run whose worker was gone three times fails.
    """
    with database.atomic():
        run = Run.objects.locked(run_id)
        if _is_alive(run):
            return False
        calls = tool_calls.lose_running(run_id)
        if run.state != State.WORKING:
            return bool(calls)
        run.losses += 1
        transaction.on_commit(metrics.run_losses.inc)
        _go_on_without(run)
        return True


def _claim_one(lease_id: UUID) -> Claimed | None:
    # Each in a transaction of its own, so that no two claims hold ledgers that the other wants.
    with database.atomic():
        for run in _next():
            return _take(run, lease_id)
    return None


@Prepared
def _next() -> QuerySet[Run]:
    can_skip = connection.vendor == "postgresql"
    rows = work.due().order_by("created_at", "pk")
    return rows.select_for_update(of=("self",), no_key=True, skip_locked=can_skip)[:1]


def _take(run: Run, lease_id: UUID) -> Claimed:
    run.move("claim")
    run.lease_id, run.fence = lease_id, run.fence + 1
    run.started_at = run.started_at or timezone.now()
    is_anew = run.attempt == 0 or logs.head(run) > run.safe_seq
    run.attempt += is_anew
    statements.update(run, "state", "lease", "fence", "started_at", "attempt")
    told: dict[str, Any] = {"run": run.pk, "agent": run.agent_slug, "attempt": run.attempt}
    events = [(WorkEvent.RUN_STARTED.value, {**told, "fence": run.fence})]
    if is_anew:
        events.append((WorkEvent.STREAM_STARTED.value, told))
    ledger.extend(session_id=run.session_id, actor=ACTOR, told=events)
    if is_anew:
        taking.note(run.session_id, Moment.RUN_START, run=run.place)
    logs.append(run, [_start(run) if is_anew else run_log.Status(state=run.state)])
    return Claimed(run.pk, run.session_id, run.fence, run.attempt)


def _start(run: Run) -> run_log.Start:
    return run_log.Start(
        run=str(run.pk),
        agent=run.agent_slug,
        attempt=run.attempt,
        keeps=run.safe_seq,
        task=run.task,
        message=str(run.message_id) if run.message_id else None,
    )


def _let_go(run: Run, *, reason: str) -> None:
    run.move("release")
    run.lease = None
    run.save(update_fields=["state", "lease", "losses", "worked_seconds"])
    ledger.append(
        session_id=run.session_id,
        type=WorkEvent.RUN_RELEASED.value,
        actor=ACTOR,
        run=run.pk,
        agent=run.agent_slug,
        reason=reason,
    )
    logs.append(run, [run_log.Status(state=run.state)])
    hints.send(hints.Hint("run", str(run.pk)))


def _wait(run: Run, waiting_for: Waiting, error: AegisError | None) -> None:
    run.move("wait")
    run.lease, run.waiting_for = None, waiting_for.value
    run.error = error.as_dict() if error else None
    run.save(update_fields=["state", "lease", "losses", "worked_seconds", "waiting_for", "error"])
    ledger.append(
        session_id=run.session_id,
        type=WorkEvent.RUN_WAITING.value,
        actor=ACTOR,
        run=run.pk,
        agent=run.agent_slug,
        **{"for": run.waiting_for},
    )
    text = error.message if error else asked.question(run)
    logs.append(run, [run_log.Status(state=run.state, waiting_for=run.waiting_for, text=text)])
    hints.send(hints.Hint("lever", str(run.session_id)))


def _is_alive(run: Run) -> bool:
    return run.lease is not None and run.lease.expires_at >= timezone.now()


def _go_on_without(run: Run) -> None:
    if run.losses >= MAX_ATTEMPTS:
        ending.fail([run], WorkerLost(f"Its worker was gone {run.losses} times."), actor=ACTOR)
    elif ToolCall.objects.filter(run=run, state=CallState.UNKNOWN.value).exists():
        _wait(run, Waiting.UNKNOWN, None)
    else:
        _let_go(run, reason="worker lost")
