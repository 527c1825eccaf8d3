"""The tools of one run: of all that there are, those that its agent and its session let it have."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from sessions.agent.tools import Call, Tool, ToolSpec
from sessions.core import matching
from sessions.core.errors import ToolNotFound
from sessions.models import Agent, Run
from sessions.toolbox import builtin, offered, plugins, servers, timing
from sessions.toolbox.define import Definition
from sessions.toolbox.ground import Ground, acting

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Box:
    """The tools that one run may use, by name."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}

    def specs(self) -> list[ToolSpec]:
        """What may be asked for, in the order of names."""
        return [self._tools[name].spec for name in sorted(self._tools)]

    def find(self, name: str) -> Tool:
        """
        The tool of this name.

        :raises ToolNotFound: if the run has none
        """
        try:
            return self._tools[name]
        except KeyError:
            raise ToolNotFound(tool=name[:200]) from None


def of(run: Run, agent: Agent) -> Box:
    """
    The toolbox of a run: what ``agent.tools`` name (``*`` is any text), less what its session bars.

    ``config.allowed_tools`` of a session narrows, ``config.blocked_tools`` takes away.
    """
    wanted = _patterns(agent.tools)
    if not wanted:
        return Box([])
    config = run.session.config
    allowed = _patterns(config.get("allowed_tools")) or ["*"]
    blocked = _patterns(config.get("blocked_tools"))
    return Box(
        timing.timed(tool)
        for tool in _every(run, agent)
        if _is_like(tool.spec.name, wanted)
        and _is_like(tool.spec.name, allowed)
        and not _is_like(tool.spec.name, blocked)
    )


def is_wanted(name: str, agent: Agent) -> bool:
    """Whether an agent asks for a tool of this name."""
    return _is_like(name, _patterns(agent.tools))


def by_name(
    *,
    served: Iterable[T],
    offered: Iterable[T],
    own: Iterable[T],
    name: Callable[[T], str],
) -> dict[str, T]:
    """
    Tools by name: those of servers, of components, and of this installation.

    Nobody takes the place of what is here: of one name the last stays.
    """
    return {name(one): one for source in (served, offered, own) for one in source}


def catalogue() -> list[ToolSpec]:
    """What is there for every session: of the packages installed here, and built in."""
    found = {one.spec.name: one.spec for one in (*plugins.definitions(), *builtin.ALL)}
    return [found[name] for name in sorted(found)]


def _every(run: Run, agent: Agent) -> Iterable[Tool]:
    installed = (one.tool() for one in plugins.definitions())
    built_in = (_bound(one, run, agent) for one in builtin.offered(agent.settings))
    found = by_name(
        served=servers.tools(),
        offered=offered.of(run.session_id),
        own=(*installed, *built_in),
        name=lambda tool: tool.spec.name,
    )
    return found.values()


def _bound(definition: Definition, run: Run, agent: Agent) -> Tool:
    settings: Mapping[str, Any] = agent.settings

    async def execute(call: Call) -> Any:
        ground = Ground(call, acting(run, agent, call), settings)
        return await definition.invoke(ground, call.arguments)

    return Tool(definition.spec, execute)


def _patterns(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _is_like(name: str, patterns: Iterable[str]) -> bool:
    return any(matching.like(name, pattern) for pattern in patterns)
