"""The tools that there are to look at, and what is said to them; a run has a box of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from sessions.core.errors import ToolNotFound
from sessions.core.lifecycle import Environment
from sessions.core.policy import Facts
from sessions.core.tools import ToolSpec
from sessions.models import Session, ToolServer
from sessions.selectors import agents, policies, tool_servers
from sessions.services import rehearsal
from sessions.toolbox import box, offered, servers


@dataclass(frozen=True, slots=True)
class Known:
    """Tools in the order of their names; ``silent``: which servers said nothing of theirs, and why."""

    specs: list[ToolSpec]
    silent: dict[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """A tool, the agents that may ask for it, and what each policy says to a call without arguments."""

    spec: ToolSpec
    agents: list[str]
    verdicts: Mapping[str, str]


def known(
    principal: Principal, *, session: Session | None = None, is_asking: bool = False
) -> Known:
    """
    What is built in or installed, what the components of a session offer, what servers say now.

    :raises PermissionDenied: without the scopes agents:read, components:read of a session, and
        tool_servers:read to ask the servers
    """
    principal.require("agents:read")
    if session is not None:
        principal.require("components:read")
    asked = list(tool_servers.readable(principal).filter(is_active=True)) if is_asking else []
    said = asyncio.run(_said(asked)) if asked else {}
    found = box.by_name(
        served=[one for specs in said.values() if isinstance(specs, list) for one in specs],
        offered=[tool.spec for tool in offered.of(session.pk)] if session else [],
        own=box.catalogue(),
        name=lambda spec: spec.name,
    )
    silent = {slug: why for slug, why in said.items() if isinstance(why, str)}
    return Known([found[name] for name in sorted(found)], silent)


def told(
    principal: Principal, tool: str, *, environment: Environment, session: Session | None = None
) -> Told:
    """
    One of them, with what is said to it there.

    :raises PermissionDenied: as :func:`known`, and without the scope policies:read
    :raises ToolNotFound: if there is none of this name
    """
    specs = known(principal, session=session).specs
    spec = next((one for one in specs if one.name == tool), None)
    if spec is None:
        raise ToolNotFound(f"There is no tool {tool[:200]}.", tool=tool[:200])
    facts = Facts(
        tool=spec.name,
        arguments={},
        risk=spec.risk,
        agent="",
        user=principal.actor,
        environment=environment,
        always_ask=spec.always_ask,
    )
    slugs = policies.readable(principal).order_by("slug").values_list("slug", flat=True)
    verdicts = {
        slug: rehearsal.judge(principal=principal, facts=facts, slugs=[slug], rules=[]).kind
        for slug in slugs
    }
    rows = agents.readable(principal).order_by("slug")
    return Told(spec, [row.slug for row in rows if box.is_wanted(tool, row)], verdicts)


async def _said(rows: list[ToolServer]) -> dict[str, list[ToolSpec] | str]:
    answers = await asyncio.gather(*map(_asked, rows))
    return {row.slug: said for row, said in zip(rows, answers, strict=True)}


async def _asked(row: ToolServer) -> list[ToolSpec] | str:
    try:
        return await servers.asked(row)
    except AegisError as error:
        return error.message
