"""What becomes of a new run while the agent is still at work on others."""

from dataclasses import dataclass

from aegis_project.kit.errors import InvalidState
from sessions.core.conversation import Admission
from sessions.core.lifecycle import State

# Where a run may be asked for: a session that was only created is started by it, one that is
# paused keeps it in its queue.
ADMITTING = frozenset({State.CREATED, State.RUNNING, State.PAUSED})


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What happens to the open runs of the same agent before a new one is let in.

    ``ends`` them: they are cancelled. ``undoes`` them: what was asked and said in them leaves the
    conversation, too.
    """

    ends: bool = False
    undoes: bool = False


ENTER = Decision()
DECISIONS: dict[Admission, Decision] = {
    Admission.ENQUEUE: ENTER,
    Admission.INTERRUPT: Decision(ends=True),
    Admission.ROLLBACK: Decision(ends=True, undoes=True),
}


def decide(admission: Admission, *, is_busy: bool) -> Decision:
    """
    What a new run does to those before it, of which there are some if ``is_busy``.

    :raises InvalidState: under ``reject`` while the agent is busy
    """
    if not is_busy:
        return ENTER
    if admission is Admission.REJECT:
        raise InvalidState("The agent is still at work here.", command="run", admission="reject")
    return DECISIONS[admission]
