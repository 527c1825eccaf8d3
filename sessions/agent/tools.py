"""What a tool is beside what is known of it: how it is called, and where it is found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sessions.core.tool_calls import Risk
from sessions.core.tools import TIMEOUT_SECONDS, ToolSpec

__all__ = ["TIMEOUT_SECONDS", "Call", "Execute", "Risk", "Tool", "ToolSpec", "Toolbox"]


@dataclass(frozen=True, slots=True)
class Call:
    """
    One execution of a tool: for whom, with what, and the key that is the same if it is repeated.

    ``principal`` names the agent as an actor (``agent:SLUG``).
    """

    session_id: str
    run_id: str
    tool_call_id: str
    principal: str
    arguments: dict[str, Any]
    effect_key: str
    depth: int = 0


Execute = Callable[[Call], Awaitable[Any]]
"""Carries out a call; returns what is JSON, or raises an AegisError of the catalogue."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that can be called here."""

    spec: ToolSpec
    execute: Execute


class Toolbox(Protocol):
    """The tools that one run may use, whatever their source."""

    def specs(self) -> list[ToolSpec]:
        """What may be asked for, in the order of names."""
        ...

    def find(self, name: str) -> Tool:
        """
        The tool of this name.

        :raises sessions.core.errors.ToolNotFound: if the run has none
        """
        ...
