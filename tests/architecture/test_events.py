"""The words of the ledger."""

from components.core.events import ComponentEvent
from sessions.core.events import SessionEvent, WorkEvent

# The fifteen core types; `stream.chunk` stands in the log of a run, not in the ledger.
CORE = {
    "session.created",
    "session.activated",
    "session.suspended",
    "session.ended",
    "message.created",
    "message.updated",
    "tool_call.pending",
    "tool_call.approved",
    "tool_call.rejected",
    "tool_call.completed",
    "tool_call.failed",
    "stream.started",
    "stream.chunk",
    "stream.ended",
    "error.occurred",
}
# It stands in the logs of runs.
ELSEWHERE = {"stream.chunk"}
EXTENSIONS = (
    *("session.", "component.", "heartbeat.", "credential.", "tool_call.", "run."),
    *("approval.", "artifact.", "attachment.", "policy.", "checkpoint."),
)

TYPES = [event.value for event in (*SessionEvent, *WorkEvent, *ComponentEvent)]


def test_the_core_types_are_there():
    assert CORE & set(TYPES) == CORE - ELSEWHERE


def test_every_other_type_extends_them_in_the_same_style():
    assert len(CORE) == 15
    for name in set(TYPES) - CORE:
        assert name.startswith(EXTENSIONS)
        assert name == name.lower()


def test_no_type_is_there_twice():
    assert len(TYPES) == len(set(TYPES))
