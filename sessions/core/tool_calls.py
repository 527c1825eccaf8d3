"""The machine of tool calls: what a run asks to be done."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from aegis_project.kit import strict
from aegis_project.kit.states import Table


class State(StrEnum):
    """Where a tool call stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Risk(StrEnum):
    """What a tool may do to the world, from nothing to much."""

    SAFE = "safe"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


# `answer`: it was a question to a person, whose next message is its result.
# `fail` while pending: its arguments are not those of the tool, or there is no such tool.
# `lose`: its worker was gone between the effect and its record. A person says what happened
# (`complete`, `fail`), or that it is to be done again (`approve`).
TRANSITIONS: Table[State] = {
    State.PENDING: {
        "approve": State.APPROVED,
        "answer": State.COMPLETED,
        "reject": State.REJECTED,
        "expire": State.EXPIRED,
        "fail": State.FAILED,
        "cancel": State.CANCELLED,
    },
    State.APPROVED: {"run": State.RUNNING, "cancel": State.CANCELLED},
    State.REJECTED: {},
    State.EXPIRED: {},
    State.RUNNING: {
        "complete": State.COMPLETED,
        "fail": State.FAILED,
        "lose": State.UNKNOWN,
    },
    State.COMPLETED: {},
    State.FAILED: {},
    State.CANCELLED: {"cancel": State.CANCELLED},
    State.UNKNOWN: {
        "complete": State.COMPLETED,
        "fail": State.FAILED,
        "approve": State.APPROVED,
        "cancel": State.CANCELLED,
    },
}

LARGEST = 2.0**63
"""Beyond it there is no float in an argument: it would come back as another number."""

SETTLED = frozenset({State.REJECTED, State.EXPIRED, State.COMPLETED, State.FAILED, State.CANCELLED})

# The words of seed 004, which has six.
WORDS: dict[State, str] = {
    State.PENDING: "pending",
    State.APPROVED: "approved",
    State.REJECTED: "rejected",
    State.EXPIRED: "failed",
    State.RUNNING: "approved",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
    State.CANCELLED: "failed",
    State.UNKNOWN: "failed",
}


def canonical(arguments: Mapping[str, Any]) -> bytes:
    """
    The arguments as JSON that is the same for equal arguments: sorted keys, no blanks.

    A whole number is one, however it was written: a database may keep ``1e16`` and give back
    ``10000000000000000``. One that no 64 bits hold is a float, though PostgreSQL gives back all of
    its digits.
    """
    return msgspec.json.encode(_whole(arguments), order="sorted")


def _whole(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST:
        return int(value)
    if isinstance(value, int) and value not in strict.INTEGERS:
        return float(value)
    return value


def digest(
    *, tool: str, tool_version: str, arguments: Mapping[str, Any], run_id: str, call_id: str
) -> str:
    """
    What exactly a decision is about, as 64 hex digits (SHA-256).

    The same tool with the same arguments in another call has another one.
    """
    parts = [tool, tool_version, run_id, call_id]
    text = msgspec.json.encode(parts) + canonical(arguments)
    return hashlib.sha256(text).hexdigest()
