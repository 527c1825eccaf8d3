"""How the canonical interface shows checkpoints and what lies between them."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from sessions.core.checkpoints import Cause, Change
from sessions.core.lifecycle import State
from sessions.models import Checkpoint
from sessions.selectors import checkpoints as reading
from sessions.selectors.checkpoints import Difference, Held
from streaming.api.codecs import Timestamp

NOW = "now"
"""As a reference it is the session as it is, and no checkpoint."""


class CheckpointSummary(Struct, kw_only=True):
    """
    A position that a session can come back to.

    `seq` and `ck` are its place in the ledger, `moment` is when the session took it by itself.
    `size` counts the bytes that it added; what did not change is stored once.
    """

    id: UUID
    session: UUID
    cause: Cause
    moment: str
    label: str
    author: str
    epoch: str
    seq: int
    ck: str
    state: State
    activation: int
    message_count: int
    size: int
    created_at: Timestamp


class CheckpointDocument(CheckpointSummary, kw_only=True):
    """
    A checkpoint with what it holds.

    `participants` are as they were declared, `positions` say how far each topic was, `runs` which
    were open, `clock` where that of a historical session stood.
    """

    memory: dict[str, Any]
    participants: list[dict[str, Any]]
    positions: dict[str, Any]
    runs: list[dict[str, Any]]
    clock: dict[str, Any] | None


class CheckpointPage(Struct, kw_only=True):
    """Checkpoints, the newest first, and the cursor of the page that follows."""

    data: list[CheckpointSummary]
    next: str


class ChangeDocument(Struct, kw_only=True):
    """What is otherwise under one name; null where there is nothing."""

    name: str
    before: Any
    after: Any


class DifferenceDocument(Struct, kw_only=True):
    """
    What lies between two positions, from the one to the other.

    `happened` counts the events between them by type. `open` are the runs that are open at the
    other end: recovering to the first cancels them.
    """

    seq: int
    to: int
    memory: list[ChangeDocument]
    participants: list[ChangeDocument]
    positions: list[ChangeDocument]
    happened: dict[str, int]
    open: list[dict[str, Any]]


PLAIN = ("id", "moment", "label", "author", "epoch", "seq", "ck", "activation", "message_count")


def summary(row: Checkpoint) -> CheckpointSummary:
    """A checkpoint without what it holds."""
    return CheckpointSummary(**_fields(row))


def document(row: Checkpoint) -> CheckpointDocument:
    """A checkpoint with what it holds."""
    held: Held = reading.held(row)
    return CheckpointDocument(
        **_fields(row),
        memory=held.memory,
        participants=held.participants,
        positions=dict(held.positions),
        runs=held.runs,
        clock=row.clock,
    )


def _fields(row: Checkpoint) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in PLAIN},
        "session": row.session_id,
        "cause": Cause(row.cause),
        "state": State(row.state),
        "size": row.size,
        "created_at": row.created_at,
    }


def compared(found: Difference) -> DifferenceDocument:
    """What lies between two positions as the canonical interface shows it."""
    return DifferenceDocument(
        seq=found.before.seq,
        to=found.after.seq,
        memory=_changes(found.memory),
        participants=_changes(found.participants),
        positions=_changes(found.positions),
        happened=found.happened,
        open=found.after.runs,
    )


def _changes(found: list[Change]) -> list[ChangeDocument]:
    return [ChangeDocument(name=one.name, before=one.before, after=one.after) for one in found]
