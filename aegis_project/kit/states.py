"""State machines as tables, one way to follow them and one way to draw them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from aegis_project.kit.errors import InvalidState

S = TypeVar("S", bound=StrEnum)
Table = Mapping[S, Mapping[str, S]]


def follow(table: Table[S], state: S, command: str) -> S:
    """
    The state that ``command`` leads to from ``state``; the same state means a no-op.

    :raises InvalidState: with ``from``, ``command`` and ``allowed`` when the table has no entry
    """
    target = table[state].get(command)
    if target is None:
        raise InvalidState(
            f"Cannot {command} while {state.value}.",
            **{"from": state.value, "command": command, "allowed": allowed(table, state)},
        )
    return target


def allowed(table: Table[S], state: S) -> list[str]:
    """The commands that are not refused in ``state``, in the table's order."""
    return list(table[state])


def mermaid(table: Table[S]) -> str:
    """The machine as a Mermaid state diagram, one arrow per pair of states, no-ops left out."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, commands in table.items():
        for command, target in commands.items():
            if target is not state:
                arrows.setdefault((state.value, target.value), []).append(command)
    lines = [f"    {a} --> {b}: {', '.join(names)}" for (a, b), names in arrows.items()]
    return "\n".join(["stateDiagram-v2", *lines])
