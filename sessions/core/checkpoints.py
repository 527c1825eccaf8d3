"""Positions that a session can come back to: why they are taken, what they hold, how two differ."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from sessions.core import tool_calls

KEEP = 20
"""How many automatic checkpoints a session keeps unless its config says otherwise."""
MOST_KEPT = 200


class Cause(StrEnum):
    """Who took a checkpoint: the session by itself, or somebody."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Moment(StrEnum):
    """When a session takes one by itself."""

    RUN_START = "run_start"
    BEFORE_TOOL = "before_tool"
    APPROVAL_PENDING = "approval_pending"
    RUN_END = "run_end"
    PAUSE = "pause"


# The words of seed 004.
WORDS: dict[str, str] = {
    Moment.RUN_START: "execution_start",
    Moment.BEFORE_TOOL: "tool_call",
    Moment.APPROVAL_PENDING: "approval_pending",
    Moment.RUN_END: "execution_complete",
}


class Effects(StrEnum):
    """What becomes of the tool calls of a fork that reach outside of it."""

    RECORDED = "recorded"
    STUB = "stub"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Rules:
    """Whether a session takes checkpoints by itself, and how many of those it keeps."""

    is_automatic: bool = True
    keep: int = KEEP


def rules(config: Mapping[str, Any]) -> Rules:
    """
    What ``config.checkpoints`` says: ``{"automatic": true, "keep": 20}``.

    :raises ValidationFailed: for anything else
    """
    said = config.get("checkpoints", {})
    if not isinstance(said, dict) or said.keys() - {"automatic", "keep"}:
        raise _refused()
    is_automatic: Any = said.get("automatic", True)
    keep: Any = said.get("keep", KEEP)
    if not isinstance(is_automatic, bool) or isinstance(keep, bool) or not isinstance(keep, int):
        raise _refused()
    if not 1 <= keep <= MOST_KEPT:
        raise _refused()
    return Rules(is_automatic, keep)


def rules_kept(config: Mapping[str, Any]) -> Rules:
    """The same of a config that was kept before anybody judged it."""
    try:
        return rules(config)
    except ValidationFailed:
        return Rules()


def is_trimmed_at(moment: Moment, run: int, rules: Rules) -> bool:
    """
    Whether old ones are let go of with this one; ``run`` is the place of the run that starts.

    It is dear, so that runs begin without it until there may be as many too many as are kept: one
    leaves two if it asks for no tools.
    """
    if moment is Moment.RUN_START:
        return run % max(1, rules.keep // 2) == 0
    return moment is Moment.PAUSE


def _refused() -> ValidationFailed:
    return ValidationFailed(
        f'config.checkpoints is {{"automatic": true or false, "keep": 1 to {MOST_KEPT}}}.',
        field="config.checkpoints",
    )


def written(content: Mapping[str, Any]) -> str:
    """What a checkpoint holds as JSON that is the same for equal content."""
    return tool_calls.canonical(content).decode()


def digest(body: str) -> str:
    """By which it is stored once, however often: 64 hex digits (SHA-256)."""
    return hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """What is otherwise under one name: before and after, None where there is nothing."""

    name: str
    before: Any
    after: Any


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs between two objects, by the names of their members."""
    return [
        Change(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if (name in before) != (name in after) or not _is_same(before[name], after[name])
    ]


def _is_same(one: Any, other: Any) -> bool:
    # True is not 1 here, as it is not in JSON.
    return tool_calls.canonical({"": one}) == tool_calls.canonical({"": other})
