"""Tools that look at the session and move its lever."""

from typing import Annotated, Any

from django.utils import timezone
from pydantic import Field

from sessions.core.tool_calls import Risk
from sessions.selectors import sessions
from sessions.services import lifecycle
from sessions.services.outcome import Outcome
from sessions.toolbox.define import tool
from sessions.toolbox.ground import Ground

Reason = Annotated[str, Field(max_length=500, description="It stands in the ledger.")]


@tool(risk=Risk.SAFE, is_idempotent=True, source="builtin")
async def session_status(ground: Ground) -> Any:
    """Say how this session stands: state, conditions, components, how long it runs."""
    return await ground.read(_status, ground)


def _status(ground: Ground) -> dict[str, Any]:
    ground.principal.require("sessions:read")
    now = timezone.now()
    row = sessions.find(ground.principal, ground.session_id)
    view = sessions.view(row, now=now)
    return {
        "key": row.key,
        "name": row.name,
        "state": row.state,
        "kind": row.kind,
        "mode": row.mode,
        "environment": row.environment,
        "conditions": [one.value for one in view.conditions],
        "components": [
            {"name": one.name, "state": one.state, "required": one.required}
            for one in view.participants
        ],
        "uptime_seconds": round(row.uptime_seconds(now=now), 3),
    }


@tool(risk=Risk.MEDIUM, is_idempotent=True, source="builtin")
async def pause_session(ground: Ground, reason: Reason) -> Any:
    """Pause this session: nothing is delivered until somebody starts it again; no work is lost."""
    return await ground.once(
        lambda: _moved(
            lifecycle.pause(principal=ground.principal, session=ground.session_id, reason=reason)
        )
    )


@tool(risk=Risk.HIGH, is_idempotent=True, source="builtin")
async def stop_session(ground: Ground, reason: Reason) -> Any:
    """Stop this session: its components leave and open work, this run too, is cancelled."""
    return await ground.once(
        lambda: _moved(
            lifecycle.stop(principal=ground.principal, session=ground.session_id, reason=reason)
        )
    )


def _moved(found: Outcome) -> dict[str, str]:
    return {"state": found.session.state, "previous": found.previous}


TOOLS = (session_status, pause_session, stop_session)
