"""Tool calls as their tests begin with them."""

from typing import Any
from uuid import uuid4

from aegis_project import database
from sessions.agent.tools import ToolSpec
from sessions.core.conversation import Role
from sessions.core.tool_calls import Risk, State
from sessions.core.turns import ToolRequest
from sessions.models import Run, Session, ToolCall
from sessions.services import messages, tool_calls
from sessions.services.working import Claimed
from tests.integration.sessions import working_help

LOOK = ToolSpec(name="look", description="", parameters={"type": "object"}, risk=Risk.SAFE)
ORDER = ToolSpec(
    name="order",
    description="",
    parameters={
        "type": "object",
        "properties": {"count": {"type": "integer"}},
        "required": ["count"],
    },
    risk=Risk.HIGH,
    version="3",
    is_idempotent=True,
    source="component",
)
SPECS = [LOOK, ORDER]


def asked(tool: str, arguments: Any = None, id_: str = "c-1") -> ToolRequest:
    return ToolRequest(id=id_, tool=tool, arguments={} if arguments is None else arguments)


def request(run: Run, *requests: ToolRequest, **more: Any) -> list[ToolCall]:
    """What a step of a run does: the answer of the model and what it asks for, in one transaction."""
    with database.atomic():
        session = Session.objects.locked(run.session_id)
        row = Run.objects.locked(run.pk)
        message = messages.append(
            session, role=Role.ASSISTANT, content="", author="agent:scribe", run=row
        )
        return tool_calls.request(row, message=message, requests=requests, specs=SPECS, **more)


def working(**draft: Any) -> tuple[Run, Claimed]:
    """A run that a worker has claimed."""
    run = working_help.admitted(working_help.session(**draft))
    return run, working_help.claimed()


def approved(run: Run, tool: str = "order", **fields: Any) -> ToolCall:
    """A call of a run that may be carried out."""
    arguments = fields.pop("arguments", {"count": 1})
    call = ToolCall(
        id=uuid4(),
        session_id=run.session_id,
        run=run,
        call_id=f"call-{uuid4().hex[:8]}",
        tool=tool,
        arguments=arguments,
        asked_arguments=arguments,
        risk=Risk.MEDIUM.value,
        state=State.APPROVED.value,
        **fields,
    )
    call.digest, call.effect_key = call.digest_of(arguments), call.pk.hex
    call.save()
    return call
