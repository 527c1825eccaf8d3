"""Runs that wait for people: an agent, its run, and the calls that somebody has to decide on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aegis_project import database
from aegis_project.kit.principal import Principal
from sessions.core.policy import Verdict, Who
from sessions.core.runs import Waiting
from sessions.core.tool_calls import Risk
from sessions.models import Agent, Approval, Policy, Run, Session, ToolCall
from sessions.services import approvals, runs, working
from tests import factories

FORM = {
    "type": "object",
    "properties": {"symbol": {"type": "string"}, "quantity": {"type": "integer", "maximum": 100}},
    "required": ["symbol"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Asking:
    """A call of this name with these arguments."""

    tool: str = "orders.place"
    arguments: dict[str, Any] = field(default_factory=lambda: {"symbol": "BTC", "quantity": 5})


@dataclass(frozen=True)
class Spec:
    """What policies know of a tool."""

    risk: Risk = Risk.MEDIUM
    always_ask: bool = False
    parameters: dict[str, Any] = field(default_factory=lambda: FORM)


def agent(slug: str = "trader", *, policy: Policy | None = None) -> Agent:
    made = Agent.objects.get_or_create(slug=slug, defaults={"model": "scripted:assistant"})[0]
    if policy is not None:
        made.policy = policy
        made.save()
    return made


def run(session: Session, *, by: Principal = factories.OPERATOR, of: Agent | None = None) -> Run:
    """A queued run in a session."""
    with database.atomic():
        row = Session.objects.locked(session.pk)
        return runs.admit(row, agent=of or agent(), principal=by)


def asked(run: Run, call: Asking | None = None, *, risk: Risk = Risk.MEDIUM) -> ToolCall:
    """A pending call of a run, before anybody is asked about it."""
    call = call or Asking()
    row = ToolCall(
        session=run.session,
        run=run,
        call_id=f"call-{ToolCall.objects.filter(run=run).count()}",
        tool=call.tool,
        arguments=call.arguments,
        asked_arguments=call.arguments,
        risk=risk.value,
    )
    row.digest = row.digest_of(row.arguments)
    row.save()
    return row


def approval(
    run: Run,
    *,
    call: ToolCall | None = None,
    evidence: Mapping[str, Mapping[str, Any]] | None = None,
    who: Who | None = None,
    **verdict: Any,
) -> Approval:
    """A call of a run that somebody has to decide on."""
    judged: dict[str, Any] = {"kind": "approve", "rule": "desk/orders", "parameters": FORM}
    with database.atomic():
        return approvals.ask(
            call or asked(run),
            Verdict(**judged | {"who": who or Who()} | verdict),
            evidence=evidence or {},
        )


def waiting(run: Run) -> Run:
    """The run, once its worker has let go of it because it waits for decisions."""
    held = factories.lease()
    [claimed] = working.claim(lease_id=held.pk, limit=1)
    assert claimed.run_id == run.pk
    working.wait(run_id=run.pk, fence=claimed.fence, waiting_for=Waiting.APPROVAL)
    run.refresh_from_db()
    return run
