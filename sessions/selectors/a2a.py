"""Reading runs as the tasks of A2A: whose they are, what they have become, what was said."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from aegis_project.kit.principal import Principal
from sessions.core import a2a, approvals, run_log
from sessions.core.a2a import Document, Telling
from sessions.core.catching_up import Numbered
from sessions.core.errors import RunNotFound
from sessions.core.runs import A2A_WORDS, State, a2a_word
from sessions.models import Approval, Run
from sessions.selectors import runs
from streaming.models import Record

KEPT = "a2a"
"""The member of a message's metadata that holds what its client sent."""


# Since when its status is what it is; a run that waits for a decision does since it was asked.
_ASKED_AT = (
    Approval.objects.filter(
        run=OuterRef("pk"), run__state=State.WAITING.value, state=approvals.State.PENDING.value
    )
    .order_by("-requested_at")
    .values("requested_at")[:1]
)
STATUS_AT = Coalesce("ended_at", Subquery(_ASKED_AT), "started_at", "created_at")


class Snapshot(NamedTuple):
    """A task as it stands, and how many entries of its log that takes in."""

    run: Run
    telling: Telling
    head: int

    @property
    def task(self) -> Document:
        """The task whole."""
        return {**self.telling.task(said(self.run)), "metadata": facts(self.run)}

    @property
    def is_over(self) -> bool:
        """Whether it can change no more."""
        return self.telling.status["state"] in a2a.TERMINAL


def own(principal: Principal, agent: str) -> QuerySet[Run]:
    """
    The tasks that the principal itself gave an agent; no others exist for it.

    :raises PermissionDenied: without the scope runs:read
    """
    principal.require("runs:read")
    rows = runs.visible(principal).filter(
        agent_slug=agent, requested_by=principal.actor, parent=None
    )
    return rows.select_related("session", "message").annotate(status_at=STATUS_AT)


def find(principal: Principal, *, agent: str, task: str) -> Run:
    """
    One of the principal's own tasks.

    :raises PermissionDenied: without the scope runs:read
    :raises RunNotFound: if it gave the agent none of this id
    """
    mine = own(principal, agent)
    found = mine.filter(pk=runs.find(principal, task).pk).first()
    if found is None:
        raise RunNotFound(run=task[:64])
    return found


def snapshot(run: Run) -> Snapshot:
    """
    A task as its log tells it, and where the log is silent as its row does.

    The row is read before the log: a run that is over has said everything. What comes in between
    is told by what follows.
    """
    row = again(run)
    telling, head = _telling(run), 0
    records = Record.objects.filter(log__session=run.session_id, log__name=run_log.name_of(run.pk))
    for seq, ts, body in records.order_by("seq").values_list("seq", "ts", "body"):
        telling.take(Numbered(seq, ts, run_log.decode(bytes(body))))
        head = seq
    state = telling.status["state"]
    if state == a2a.WAITS or (state in a2a.TERMINAL and row.is_open):
        row = again(run)
    telling.status = _settled(telling.status, row)
    return Snapshot(row, telling, head)


def beginning(run: Run) -> Snapshot:
    """A task as it was let in and waits for its turn; its log tells all that became of it since."""
    row, telling = again(run), _telling(run)
    row.state = State.QUEUED.value
    word = A2A_WORDS[State.QUEUED]
    telling.status = {"state": a2a.PREFIX + word, "timestamp": a2a.stamp(_ms(row.created_at))}
    return Snapshot(row, telling, 0)


def _settled(told: Document, row: Run) -> Document:
    """Where a task stands by its log and its row; its time is the row's, which lists go by."""
    state, own = told["state"], status(row)
    if state == a2a.WAITS:
        is_past = row.state != State.WAITING
        working = {"state": a2a.PREFIX + A2A_WORDS[State.WORKING], "timestamp": own["timestamp"]}
        return working if is_past else {**told, "timestamp": own["timestamp"]}
    if "timestamp" not in told or (state not in a2a.TERMINAL and not row.is_open):
        return own
    return {**told, "timestamp": own["timestamp"]}


def again(run: Run) -> Run:
    """A task's row as it stands now."""
    rows = Run.objects.select_related("session", "message")
    return rows.annotate(status_at=STATUS_AT).get(pk=run.pk)


def brief(run: Run) -> Document:
    """A task without what it has made, from its row alone."""
    told = _telling(run)
    told.status = status(run)
    return {**told.task(said(run)), "metadata": facts(run)}


def status(run: Run) -> Document:
    """Where a task stands, as its row says it."""
    at: datetime = run.status_at  # type: ignore[attr-defined]  # it was asked for with the row
    word = a2a_word(State(run.state), code=str((run.error or {}).get("code", "")))
    # Queued again is not given anew.
    is_begun = run.state == State.QUEUED and run.started_at is not None
    word = A2A_WORDS[State.WORKING] if is_begun else word
    return {"state": a2a.PREFIX + word, "timestamp": a2a.stamp(_ms(at))}


def facts(run: Run) -> Document:
    """What the words of the protocol leave out."""
    found = {"aegisState": run.state, "sessionId": str(run.session_id)}
    return {**found, "waitingFor": run.waiting_for} if run.waiting_for else found


def said(run: Run) -> list[tuple[int, Document]]:
    """What its user said of a task, each message with its time (unix ms)."""
    message = run.message
    if message is None:
        return []
    names = {"taskId": str(run.pk), "contextId": run.session.key}
    at = _ms(message.created_at)
    kept: dict[str, Any] = message.metadata.get(KEPT) or {
        "messageId": str(message.pk),
        "role": "ROLE_USER",
        "parts": [{"text": message.content, "mediaType": a2a.PLAIN}],
    }
    later = [(one["at"], {**one["message"], **names}) for one in kept.get("followUps", [])]
    first = {name: value for name, value in kept.items() if name != "followUps"}
    return [(at, {**first, **names}), *later]


def _telling(run: Run) -> Telling:
    return Telling(task=str(run.pk), context=run.session.key)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
