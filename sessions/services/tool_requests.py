"""What becomes of the tool calls that a model asks for, before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from aegis_project.kit.errors import AegisError
from sessions.core import tools
from sessions.core.errors import ApprovalRejected, ToolNotFound
from sessions.core.events import WorkEvent
from sessions.core.freshness import Known
from sessions.core.tool_calls import Risk
from sessions.core.tools import ToolSpec
from sessions.core.turns import ToolRequest
from sessions.models import Approval, Message, Run, ToolCall
from sessions.services import asking, policies, tool_log

LONGEST = 200
"""Characters of a tool's name and of a model's id for a call."""


def request(
    run: Run,
    *,
    message: Message | None,
    requests: Sequence[ToolRequest],
    specs: Sequence[ToolSpec],
    evidence: Mapping[str, Known] | None = None,
) -> list[ToolCall]:
    """
    Write down what a run asks for, each with its verdict, in the order of the ``requests``.

    In the caller's transaction, which has locked session and run. A tool that the run does not
    have and arguments that are not the tool's fail at once; a policy lets by, denies, or asks
    somebody, with the ``evidence`` of the call: what is known of its topics, by request id.
    """
    known = {spec.name: spec for spec in specs}
    found = [
        _Request(run, one, known.get(one.tool), (evidence or {}).get(one.id, {}))
        for one in requests
    ]
    used: set[str] = set()
    calls = [one.written(message, number, used) for number, one in enumerate(found)]
    if message is not None:
        message.tool_call_count += len(calls)
        message.save(update_fields=["tool_call_count"])
    return calls


@dataclass(frozen=True, slots=True)
class _Request:
    """One request of a model, the tool that it means, and what a decision on it rests on."""

    run: Run
    asked: ToolRequest
    spec: ToolSpec | None
    evidence: Known

    def written(self, message: Message | None, number: int, used: set[str]) -> ToolCall:
        call = self._call(message, number, used)
        pending = {"call": call.call_id, "risk": call.risk, "digest": call.digest}
        try:
            call.arguments = self._arguments()
        except AegisError as error:
            call.save(force_insert=True)
            tool_log.tell(
                call, (WorkEvent.TOOL_CALL_PENDING, {**pending, "rule": ""}), actor=self._by
            )
            return self._failed(call, error)
        return self._judged(call, pending)

    @property
    def _by(self) -> str:
        return f"agent:{self.run.agent_slug}"

    def _call(self, message: Message | None, number: int, used: set[str]) -> ToolCall:
        spec, arguments = self.spec, tools.cleaned(self.asked.arguments)
        call = ToolCall(
            id=uuid4(),
            session=self.run.session,
            run=self.run,
            message=message,
            call_id=_unused(self.asked.id, used),
            tool=self.asked.tool[:LONGEST],
            tool_version=spec.version if spec else "",
            source=spec.source if spec else "",
            asked_arguments=arguments if isinstance(arguments, dict) else {},
            risk=(spec.risk if spec else Risk.HIGH).value,
            is_idempotent=bool(spec and spec.is_idempotent),
            # In the order in which they were asked for, also where a clock counts coarsely.
            created_at=timezone.now() + timedelta(microseconds=number),
        )
        call.arguments = call.asked_arguments
        call.digest, call.effect_key = call.digest_of(call.arguments), call.pk.hex
        return call

    def _arguments(self) -> dict[str, Any]:
        if self.spec is None:
            raise ToolNotFound(tool=self.asked.tool[:LONGEST])
        return tools.checked(self.spec, self.asked.arguments)

    def _failed(self, call: ToolCall, error: AegisError) -> ToolCall:
        call.move("fail")
        call.error = error.as_dict()
        told = {"code": error.code, "message": error.message}
        return self._over(call, WorkEvent.TOOL_CALL_FAILED, told)

    def _judged(self, call: ToolCall, pending: dict[str, Any]) -> ToolCall:
        assert self.spec is not None  # noqa: S101 -- its arguments were checked
        verdict = policies.judge(self.run, call, self.spec)
        call.rule = verdict.rule
        call.save(force_insert=True)
        tool_log.tell(
            call, (WorkEvent.TOOL_CALL_PENDING, {**pending, "rule": call.rule}), actor=self._by
        )
        if verdict.kind == "deny":
            return self._denied(call)
        if self.spec.is_question:
            # To be asked for leave to ask would be no help to anybody.
            return self._shown(call)
        if not verdict.lets_by:
            approval = asking.ask(call, verdict, evidence=self.evidence)
            return self._shown(call, approval)
        call.move("approve")
        call.save(update_fields=["state"])
        told = {"by": call.rule, "edited": False}
        tool_log.tell(call, (WorkEvent.TOOL_CALL_APPROVED, told), actor=self._by)
        return self._shown(call)

    def _denied(self, call: ToolCall) -> ToolCall:
        reason = f"The rule {call.rule} denies it."
        call.move("reject")
        call.error = ApprovalRejected(reason, by=call.rule).as_dict()
        return self._over(call, WorkEvent.TOOL_CALL_REJECTED, {"by": call.rule, "reason": reason})

    def _over(self, call: ToolCall, event: WorkEvent, told: dict[str, Any]) -> ToolCall:
        call.ended_at = timezone.now()
        call.save(update_fields=["state", "error", "ended_at"])
        tool_log.tell(call, (event, told), actor=self._by)
        tool_log.show(self.run, [tool_log.asked(call), tool_log.settled(call)])
        return call

    def _shown(self, call: ToolCall, approval: Approval | None = None) -> ToolCall:
        tool_log.show(self.run, [tool_log.asked(call, approval=approval)])
        return call


def _unused(id_: str, used: set[str]) -> str:
    """The model's own id; one that it used twice in one answer gets a number."""
    found = name = tools.cleaned(id_)[:LONGEST] or "call"
    while found in used:
        found = f"{name[: LONGEST - 8]}~{len(used)}"
    used.add(found)
    return found
