"""What a decision on a tool call will rest on: looked up before anybody is asked."""

from collections.abc import Sequence

from aegis_project.database import read_db
from aegis_project.kit.errors import AegisError
from sessions.core import freshness, tools
from sessions.core.freshness import Known
from sessions.core.tools import ToolSpec
from sessions.core.turns import ToolRequest
from sessions.models import Run
from sessions.selectors import situation
from sessions.services import policies
from streaming import node


async def gather(
    run: Run, requests: Sequence[ToolRequest], specs: Sequence[ToolSpec]
) -> dict[str, Known]:
    """
    By request id, the newest records of the topics that tools and rules name as evidence.

    Nothing is looked up for what needs no decision. ``run`` has its session and its agent.
    """
    here = node.current()
    if here is None or not requests:
        return {}
    wanted = await read_db(_wanted, run, requests, specs)
    return {
        id_: await here.ask(situation.newest(here.hub, run.session_id, names))
        for id_, names in wanted.items()
    }


def _wanted(
    run: Run, requests: Sequence[ToolRequest], specs: Sequence[ToolSpec]
) -> dict[str, list[str]]:
    known = {spec.name: spec for spec in specs}
    found = {one.id: _topics(run, one, known[one.tool]) for one in requests if one.tool in known}
    return {id_: names for id_, names in found.items() if names}


def _topics(run: Run, asked: ToolRequest, spec: ToolSpec) -> list[str]:
    try:
        arguments = tools.checked(spec, asked.arguments)
    except AegisError:
        return []
    verdict = policies.judge(run, asked, spec)
    if verdict.kind != "approve":
        return []
    guarded = [guard.topic for guard in verdict.freshness]
    return freshness.topics([*spec.evidence, *guarded], arguments)
