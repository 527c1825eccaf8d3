"""Tools as their tests call them."""

from typing import Any
from uuid import uuid4

from aegis_project.database import run_db
from sessions.agent.tools import Call
from sessions.models import Run
from sessions.toolbox import box
from sessions.toolbox.box import Box


def call(run: Run, arguments: dict[str, Any] | None = None, *, key: str = "") -> Call:
    """An execution of a tool; the same key is the same effect."""
    effect_key = key or uuid4().hex
    return Call(
        session_id=str(run.session_id),
        run_id=str(run.pk),
        tool_call_id=f"call-{effect_key}",
        principal=f"agent:{run.agent_slug}",
        arguments=arguments or {},
        effect_key=effect_key,
    )


def toolbox(run: Run) -> Box:
    """The toolbox of a run."""
    row = Run.objects.select_related("agent", "session").get(pk=run.pk)
    assert row.agent is not None
    return box.of(row, row.agent)


async def use(run: Run, name: str, /, *, same: str = "", **arguments: Any) -> Any:
    """What a tool of the run returns."""
    found = await run_db(toolbox, run)
    return await found.find(name).execute(call(run, arguments, key=same))
