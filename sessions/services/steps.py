"""What came of one request to a model: spent, said, asked for, done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from aegis_project import database, statements
from aegis_project.prepared import Prepared
from sessions import metrics
from sessions.core import run_log
from sessions.core.checkpoints import Moment
from sessions.core.conversation import Role
from sessions.core.events import WorkEvent
from sessions.core.freshness import Known
from sessions.core.run_log import Entry
from sessions.core.tools import ToolSpec
from sessions.core.turns import Media, ToolRequest
from sessions.models import Message, Run, RunHistory, Session
from sessions.services import attachments, messages, taking, tool_requests
from sessions.services import run_log as logs
from streaming import hints
from streaming.services import ledger

# What a request moves of its run.
SPENT = ("usage", "steps", "token_count", "cost", "worked_seconds")
MONEY = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Step:
    """
    One request to a model and its answer; ``seconds`` is the work since the step before.

    ``history`` is what the adapter wrote of the conversation up to now: its format, and its body.
    ``evidence`` is what decisions on the ``requests`` rest on, by the id of each.
    """

    text: str
    model: str
    input_tokens: int
    output_tokens: int
    cost: Decimal
    seconds: float
    requests: Sequence[ToolRequest] = ()
    evidence: Mapping[str, Known] = field(default_factory=dict)
    finish_reason: str = "stop"
    history: tuple[str, bytes] | None = None
    media: Sequence[Media] = ()
    """Pictures and sounds that the model made beside the text."""
    covered: int = 0
    """How many turns that history holds."""

    @property
    def tokens(self) -> int:
        """All tokens, of the question and of the answer."""
        return self.input_tokens + self.output_tokens


def record(
    *,
    run_id: UUID,
    fence: int,
    step: Step,
    specs: Sequence[ToolSpec] = (),
    rest: Sequence[Entry] = (),
) -> bool:
    """
    Write what the model answered, in one transaction; whether the run is done with that.

    With tools asked for it is not: their calls stand in rows, with the verdict on each, and the
    run has come to a safe point. Without, ``rest`` is what it said that its log does not have yet.

    :raises Superseded: if the run is not working under this fence
    """
    with database.atomic():
        session = _locked_session(run_id)
        run = logs.held(run_id, fence=fence)
        _spend(run, step)
        if step.history is not None:
            _keep_history(run, step.history, step.covered)
        message = _say(session, run, step)
        if step.requests:
            _ask(run, message, step, specs)
        else:
            _complete(run, message, step, rest)
        return not step.requests


def _locked_session(run_id: UUID) -> Session:
    for session in _session_of(run_id=run_id):
        return session
    raise logs.Superseded(str(run_id))


@Prepared
def _session_of(run_id: UUID) -> QuerySet[Session]:
    its = Run.objects.filter(pk=run_id).values("session")
    return Session.objects.filter(pk__in=its).select_for_update(of=("self",), no_key=True)


def _spend(run: Run, step: Step) -> None:
    """Count what a request took, per model; the caller saves."""
    cost = step.cost.quantize(MONEY)
    before = run.usage.get(step.model, {})
    run.usage = {
        **run.usage,
        step.model: {
            "requests": before.get("requests", 0) + 1,
            "input_tokens": before.get("input_tokens", 0) + step.input_tokens,
            "output_tokens": before.get("output_tokens", 0) + step.output_tokens,
            "cost": f"{Decimal(before.get('cost', '0')) + cost:f}",
        },
    }
    run.steps += 1
    run.token_count += step.tokens
    run.cost += cost
    run.worked_seconds += step.seconds
    transaction.on_commit(
        partial(metrics.count_request, step.model, step.input_tokens, step.output_tokens, cost)
    )


def _keep_history(run: Run, history: tuple[str, bytes], covered: int) -> None:
    kept = {"format": history[0], "body": history[1], "covered": covered}
    RunHistory.objects.update_or_create(run=run, defaults=kept)


def _say(session: Session, run: Run, step: Step) -> Message | None:
    """The message of an answer; one that says and asks nothing is none."""
    files = attachments.fitting(session, step.media)
    if not (step.text or step.requests or files):
        session.llm_token_count += step.tokens
        statements.update(session, "llm_token_count")
        return None
    author = f"agent:{run.agent_slug}"
    message = messages.append(
        session,
        role=Role.ASSISTANT,
        content=step.text,
        author=author,
        agent=run.agent_slug,
        run=run,
        tokens=step.tokens,
        attachments=len(files),
        # So that its stream can name the answer before it is there.
        id=None if step.requests else run.pk,
    )
    attachments.show(session, message, files, author=author)
    return message


def _ask(run: Run, message: Message | None, step: Step, specs: Sequence[ToolSpec]) -> None:
    statements.update(run, *SPENT)
    tool_requests.request(
        run, message=message, requests=step.requests, specs=specs, evidence=step.evidence
    )
    run.safe_seq = logs.head(run)
    run.save(update_fields=["safe_seq"])


def _complete(run: Run, message: Message | None, step: Step, rest: Sequence[Entry]) -> None:
    run.move("complete")
    run.answer, run.ended_at = message, timezone.now()
    used = logs.usage(run)
    statements.update(run, *SPENT, "state", "answer", "ended_at")
    transaction.on_commit(metrics.runs.labels(run.state).inc)
    told: dict[str, Any] = {
        "run": run.pk,
        "agent": run.agent_slug,
        "message": message.pk if message else None,
        "usage": run.usage,
        "cost": f"{run.cost:f}",
    }
    ledger.extend(
        session_id=run.session_id,
        actor=f"agent:{run.agent_slug}",
        told=[
            (WorkEvent.RUN_COMPLETED.value, told),
            (WorkEvent.STREAM_ENDED.value, {"run": run.pk, "state": run.state}),
        ],
    )
    said = str(message.pk) if message else None
    end = run_log.End(state=run.state, message=said, finish_reason=step.finish_reason, usage=used)
    logs.append(run, [*rest, end])
    taking.note(run.session_id, Moment.RUN_END)
    # The next one in the queue of this agent may begin.
    hints.send(hints.Hint("run", str(run.pk)))
