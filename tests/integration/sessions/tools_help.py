"""Tool calls as their tests begin with them."""

from typing import Any
from uuid import uuid4

from sessions.core.tool_calls import Risk, State
from sessions.models import Run, ToolCall
from sessions.services.working import Claimed
from tests.integration.sessions import working_help


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
