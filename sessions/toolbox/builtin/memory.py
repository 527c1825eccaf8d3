"""Tools that keep things in the session's memory, which seed 002 calls its state."""

from typing import Annotated, Any

from pydantic import Field

from sessions.core.tool_calls import Risk
from sessions.selectors import sessions
from sessions.services import memory
from sessions.toolbox.define import tool
from sessions.toolbox.ground import Ground

Key = Annotated[str, Field(min_length=1, max_length=memory.LONGEST_KEY)]


@tool(risk=Risk.SAFE, is_idempotent=True, source="builtin")
async def memory_get(
    ground: Ground,
    key: Annotated[Key | None, Field(description="All of it if left out.")] = None,
) -> Any:
    """Look up what this session remembers; null if there is nothing under the key."""
    return await ground.read(_get, ground, key)


def _get(ground: Ground, key: str | None) -> Any:
    ground.principal.require("sessions:read")
    found = sessions.find(ground.principal, ground.session_id).memory
    return found if key is None else found.get(key)


@tool(risk=Risk.SAFE, is_idempotent=True, source="builtin")
async def memory_set(
    ground: Ground,
    key: Key,
    value: Annotated[Any, Field(description="Any JSON value; null forgets it.")],
) -> Any:
    """Remember something for the rest of this session, also for later questions."""

    def act() -> Any:
        memory.remember(principal=ground.principal, session=ground.session_id, key=key, value=value)
        return {"key": key, "value": value}

    return await ground.once(act)


TOOLS = (memory_get, memory_set)
