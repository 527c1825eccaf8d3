"""What a tool is: a name, the form of its arguments, how dangerous it is, and how it is called."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from sessions.core.tool_calls import Risk

TIMEOUT_SECONDS = 30.0


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


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """
    What is known of a tool before it is called.

    ``parameters`` is a JSON Schema (2020-12) of an object. ``is_idempotent``: repeated with the
    same effect key it acts once. ``always_ask``: somebody approves it in every mode. ``source`` is
    builtin, python, mcp or component.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    risk: Risk = Risk.HIGH
    version: str = "1"
    timeout_seconds: float = TIMEOUT_SECONDS
    is_idempotent: bool = False
    always_ask: bool = False
    source: str = "python"
    evidence: tuple[str, ...] = field(default=())
    """Topics whose newest value a decision rests on; ``{name}`` is an argument."""


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
