"""Asking for runs and ending them: admission under the session's lock, cancelling, going on."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from aegis_project import database, statements
from aegis_project.kit.errors import InvalidState, ValidationFailed
from aegis_project.kit.principal import Principal
from aegis_project.kit.quotas import Quota
from aegis_project.prepared import Prepared
from sessions.core import admission as admissions
from sessions.core import conversation
from sessions.core import limits as limiting
from sessions.core.admission import ADMITTING
from sessions.core.conversation import Admission
from sessions.core.errors import BudgetExceeded
from sessions.core.events import WorkEvent
from sessions.core.lifecycle import State as SessionState
from sessions.core.run_log import Status
from sessions.core.runs import State, Waiting
from sessions.models import Agent, Message, Run, Session, Trigger
from sessions.selectors import blocking, budgets
from sessions.selectors import runs as selecting
from sessions.services import ending, messages, moving, quotas, replays, run_log
from streaming import hints
from streaming.services import ledger
from streaming.services.commands import command

Reference = Run | UUID | str
ACTOR = "system:runs"
LONGEST_TASK, LONGEST_REASON = 128, 500


def admit(
    session_row: Session,
    *,
    agent: Agent,
    principal: Principal,
    message: Message | None = None,
    task: str = "",
    parameters: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    parent: Run | None = None,
    trigger: Trigger | None = None,
    admission: Admission | None = None,
    has_way: bool = False,
) -> Run:
    """
    Let a run in, in the caller's transaction, which has locked the session.

    A session that was only created is started; one that is paused keeps the run in its queue.
    ``admission`` (else that of the session) says what becomes of the agent's open runs, unless
    :func:`make_way` did already what it says (``has_way``).

    :raises InvalidState: if the session takes none, or the agent is busy under ``reject``
    :raises BudgetExceeded: if it is deeper than runs may begin each other
    :raises QuotaExceeded: if the team has begun as many today as it may
    :raises ValidationFailed: for limits or a label that cannot be
    """
    if len(task) > LONGEST_TASK:
        raise ValidationFailed(f"task has at most {LONGEST_TASK} characters.", field="task")
    if parent is None and not has_way:
        make_way(session_row, agent=agent, principal=principal, admission=admission)
    quotas.admit(session_row.team_id, Quota.RUNS_PER_DAY)
    run = statements.new(
        Run,
        session=session_row,
        place=_next_place(session_row),
        agent=agent,
        agent_slug=agent.slug,
        message=message,
        parent=parent,
        depth=limiting.deeper(parent.depth, agent.limits) if parent else 0,
        trigger=trigger,
        task=task,
        requested_by=principal.actor,
        user_id=principal.user_id,
        parameters=dict(parameters or {}),
        limits=limiting.check(limits or {}),
    )
    statements.insert(run)
    run_log.open_log(run)
    if not has_way:
        # Who made way has written a message since, and with it that something was done.
        session_row.last_activity_at = timezone.now()
        statements.update(session_row, "last_activity_at")
    _announce(session_row, run, actor=principal.actor)
    return run


@command("run.create", scope="runs:write")
def request(
    *,
    principal: Principal,
    session: moving.Reference,
    agent: Agent,
    message: Message | None = None,
    task: str = "",
    parameters: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
    admission: Admission | None = None,
) -> Run:
    """
    Let an agent go on with a conversation as it is, or answer one of its messages again.

    :raises SessionNotFound: if the session is not there for the principal
    :raises InvalidState: as :func:`admit`
    """
    row = moving.locked(principal, session)
    return admit(
        row,
        agent=agent,
        principal=principal,
        message=message,
        task=task,
        parameters=parameters,
        limits=limits,
        admission=admission,
    )


@command("run.cancel", scope="runs:write")
def cancel(*, principal: Principal, run: Reference, reason: str = "") -> Run:
    """
    Cancel a run and those that it began, with their open tool calls and approvals.

    :raises RunNotFound: if it is not there for the principal
    :raises InvalidState: if it is completed or failed; of a cancelled one it is a no-op
    """
    if len(reason) > LONGEST_REASON:
        raise ValidationFailed(f"reason has at most {LONGEST_REASON} characters.", field="reason")
    session, row = _locked(principal, run)
    if row.is_open:
        ending.cancel(session, ending.with_subruns(row), actor=principal.actor, reason=reason)
    else:
        row.move("cancel")
    return row


@command("run.limits", scope="runs:write")
def raise_limits(*, principal: Principal, run: Reference, limits: Mapping[str, Any]) -> Run:
    """
    Change what a run may use; one that waited for that goes on, and finds whether it is enough.

    :raises RunNotFound: if it is not there for the principal
    :raises InvalidState: if it is over
    :raises ValidationFailed: for limits that cannot be
    """
    # Whoever may ask for work may not let it cost more than was agreed.
    principal.require("sessions:control")
    _, row = _locked(principal, run)
    if not row.is_open:
        raise InvalidState(
            f"Cannot change a run that is {row.state}.",
            **{"from": row.state, "command": "limits", "allowed": []},
        )
    row.limits = {**row.limits, **limiting.check(limits)}
    row.save(update_fields=["limits"])
    if row.waiting_for == Waiting.BUDGET:
        resume(row, actor=principal.actor)
    return row


def reconsider(run_id: UUID) -> bool:
    """
    Let a run go on that waited for a budget which has room again; whether it does.

    A day or a month may have begun anew, or somebody may have raised what a session, a user or a
    team has.
    """
    with database.atomic():
        row = Run.objects.locked(run_id)
        if row.waiting_for != Waiting.BUDGET:
            return False
        try:
            budgets.check(row)
        except BudgetExceeded:
            return False
        resume(row, actor=ACTOR)
        return True


def settle(run_id: UUID, *, actor: str) -> bool:
    """
    Let a run go on that waits for nothing any more; whether it does.

    Called after each decision, in its transaction or alone. A run that still works finds by
    itself that its calls are decided.
    """
    with database.atomic():
        row = Run.objects.locked(run_id)
        if row.state != State.WAITING or row.waiting_for not in blocking.BLOCKED_BY:
            return False
        blocked = blocking.waits_for(row)
        if blocked is not None:
            row.waiting_for = blocked.value
            row.save(update_fields=["waiting_for"])
            return False
        resume(row, actor=actor)
        return True


def resume(row: Run, *, actor: str) -> None:
    """Put a waiting run, which is locked, back into the queue."""
    row.move("resume")
    row.waiting_for, row.error = "", None
    is_safe = run_log.head(row) == row.safe_seq
    told = run_log.append(row, [Status(state=row.state)])
    # What it said before it waited stands; a new attempt would replace what was not safe then.
    row.safe_seq = told if is_safe else row.safe_seq
    row.save(update_fields=["state", "waiting_for", "error", "safe_seq"])
    ledger.append(
        session_id=row.session_id,
        type=WorkEvent.RUN_RESUMED.value,
        actor=actor,
        run=row.pk,
        agent=row.agent_slug,
    )
    hints.send(hints.Hint("run", str(row.pk)))


def _locked(principal: Principal, run: Reference) -> tuple[Session, Run]:
    found = selecting.find(principal, run)
    session = Session.objects.locked(found.session_id)
    return session, Run.objects.locked(found.pk)


def make_way(
    session: Session, *, agent: Agent, principal: Principal, admission: Admission | None
) -> None:
    """
    Do to the agent's open runs what the admission (else that of the session) says.

    Whoever writes what the new run is to answer does so afterwards: what an interrupted one was
    saying stands before it, and a session that was only created is started, for which components
    are locked before its ledger.

    :raises InvalidState: if the session takes no runs, or the agent is busy under ``reject``
    """
    if SessionState(session.state) not in ADMITTING:
        raise moving.illegal(session, "run")
    if session.state == SessionState.CREATED and not session.is_starting:
        replays.check_files(session)
        moving.begin(session, actor=principal.actor)
    chosen = admission or conversation.admission(session.config)
    others = ending.open_of(session.pk, agent=agent.slug, main=True)
    decision = admissions.decide(chosen, is_busy=bool(others))
    if decision.ends:
        every = [one for run in others for one in ending.with_subruns(run)]
        ending.cancel(session, every, actor=principal.actor, reason=chosen.value)
    if decision.undoes:
        for run in others:
            if run.message is not None:
                messages.take_back(session, run.message)


def _next_place(session: Session) -> int:
    for (last,) in _last_place(session_id=session.pk):
        return last + 1
    return 1


@Prepared
def _last_place(session_id: UUID) -> QuerySet[Run, tuple[int]]:
    rows = Run.objects.filter(session_id=session_id).order_by("-place")
    return rows.values_list("place")[:1]


def _announce(session: Session, run: Run, *, actor: str) -> None:
    """Tell that a run is queued."""
    ledger.append(
        session_id=session.pk,
        type=WorkEvent.RUN_QUEUED.value,
        actor=actor,
        run=run.pk,
        place=run.place,
        agent=run.agent_slug,
        message=run.message_id,
        task=run.task,
        trigger=run.trigger_id,
    )
    hints.send(hints.Hint("run", str(run.pk)))
