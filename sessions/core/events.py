"""What can happen to a session, in the words of its ledger."""

from enum import StrEnum


class SessionEvent(StrEnum):
    """
    Event types of the sessions app.

    The first group is of the fifteen core types; the second are extensions in the same style.
    """

    CREATED = "session.created"
    ACTIVATED = "session.activated"
    SUSPENDED = "session.suspended"
    ENDED = "session.ended"
    ERROR = "error.occurred"

    START_REQUESTED = "session.start_requested"
    START_WITHDRAWN = "session.start_withdrawn"
    UPDATED = "session.updated"
    REPOSITIONED = "session.repositioned"


DESCRIPTIONS: dict[SessionEvent, str] = {
    SessionEvent.CREATED: "The session exists. Data: key, name, kind, mode, environment.",
    SessionEvent.ACTIVATED: "It runs. Data: from (state before), activation.",
    SessionEvent.SUSPENDED: "It is paused, stopped or failed. Data: state, from, reason.",
    SessionEvent.ENDED: "It is completed or ended. Data: state, from, reason, result.",
    SessionEvent.ERROR: "Something failed. Data: code, message, details.",
    SessionEvent.START_REQUESTED: (
        "A start waits for required components. Data: missing (names), deadline_at."
    ),
    SessionEvent.START_WITHDRAWN: "The pending start was taken back. Data: by (command).",
    SessionEvent.REPOSITIONED: (
        "Its clock was set. Data: clock (unix ms), from_n (records before it), n (the same, now)."
    ),
    SessionEvent.UPDATED: "Editable fields changed. Data: fields (names).",
}
