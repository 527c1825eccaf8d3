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
    CHECKPOINT = "checkpoint.created"
    CHECKPOINT_DELETED = "checkpoint.deleted"
    RECOVERED = "session.recovered"
    FORKED = "session.forked"


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
    SessionEvent.CHECKPOINT: (
        "Somebody took a checkpoint, which is of this position. Data: checkpoint, label."
    ),
    SessionEvent.CHECKPOINT_DELETED: "It is gone. Data: checkpoint, label, at (its position).",
    SessionEvent.RECOVERED: (
        "Memory and participants are those of a checkpoint again. Data: checkpoint, label, at (its"
        " position), memory (names that changed), restored, removed, released (components)."
    ),
    SessionEvent.FORKED: (
        "It was made from a checkpoint of another one. Data: parent, checkpoint, at (its position),"
        " effects, messages (how many it begins with)."
    ),
    SessionEvent.UPDATED: "Editable fields changed. Data: fields (names).",
}


class WorkEvent(StrEnum):
    """What agents say and do in a session; the first group is of the fifteen core types."""

    MESSAGE_CREATED = "message.created"
    MESSAGE_UPDATED = "message.updated"
    TOOL_CALL_PENDING = "tool_call.pending"
    TOOL_CALL_APPROVED = "tool_call.approved"
    TOOL_CALL_REJECTED = "tool_call.rejected"
    TOOL_CALL_COMPLETED = "tool_call.completed"
    TOOL_CALL_FAILED = "tool_call.failed"
    STREAM_STARTED = "stream.started"
    STREAM_ENDED = "stream.ended"

    TOOL_CALL_STARTED = "tool_call.started"
    TOOL_CALL_EXPIRED = "tool_call.expired"
    TOOL_CALL_CANCELLED = "tool_call.cancelled"
    TOOL_CALL_UNKNOWN = "tool_call.unknown"
    RUN_QUEUED = "run.queued"
    RUN_STARTED = "run.started"
    RUN_WAITING = "run.waiting"
    RUN_RESUMED = "run.resumed"
    RUN_RELEASED = "run.released"
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_CLAIMED = "approval.claimed"
    APPROVAL_DECIDED = "approval.decided"
    APPROVAL_EXPIRED = "approval.expired"
    APPROVAL_CANCELLED = "approval.cancelled"
    ATTACHMENT_UPLOADED = "attachment.uploaded"
    ATTACHMENT_DELETED = "attachment.deleted"
    ARTIFACT_CREATED = "artifact.created"
    ARTIFACT_DELETED = "artifact.deleted"
    POLICY_GRANTED = "policy.granted"
    POLICY_REVOKED = "policy.revoked"


# Ids are UUIDs as text; `call` is the model's own id of a tool call.
WORK: dict[WorkEvent, str] = {
    WorkEvent.MESSAGE_CREATED: (
        "Somebody said something. Data: message, place, role, parent, agent, run, preview (its"
        " first 200 characters), attachments (their number)."
    ),
    WorkEvent.MESSAGE_UPDATED: (
        "Another branch was chosen, or a message changed. Data: message, fields (names)."
    ),
    WorkEvent.TOOL_CALL_PENDING: (
        "An agent asks for a tool. Data: tool_call, run, call, tool, risk, digest, rule."
    ),
    WorkEvent.TOOL_CALL_APPROVED: (
        "It may be carried out. Data: tool_call, run, tool, by (who or which rule), edited."
    ),
    WorkEvent.TOOL_CALL_REJECTED: "It may not. Data: tool_call, run, tool, by, reason.",
    WorkEvent.TOOL_CALL_COMPLETED: (
        "It was carried out. Data: tool_call, run, tool, duration_ms, artifact."
    ),
    WorkEvent.TOOL_CALL_FAILED: "It could not be. Data: tool_call, run, tool, code, message.",
    WorkEvent.STREAM_STARTED: "A run begins to answer. Data: run, agent, attempt.",
    WorkEvent.STREAM_ENDED: "It has answered, or never will. Data: run, state.",
    WorkEvent.TOOL_CALL_STARTED: (
        "Its effect begins now. Data: tool_call, run, tool, attempt, effect_key; in a fork also"
        " effects (recorded, stub, live)."
    ),
    WorkEvent.TOOL_CALL_EXPIRED: "Nobody decided in time. Data: tool_call, run, tool.",
    WorkEvent.TOOL_CALL_CANCELLED: "It, or its run, was cancelled. Data: tool_call, run, tool.",
    WorkEvent.TOOL_CALL_UNKNOWN: (
        "Its worker was gone before it said what came of it. Data: tool_call, run, tool."
    ),
    WorkEvent.RUN_QUEUED: "An agent is to work. Data: run, place, agent, message, task, trigger.",
    WorkEvent.RUN_STARTED: "A worker took it. Data: run, agent, attempt, fence.",
    WorkEvent.RUN_WAITING: "It waits. Data: run, agent, for (approval, budget, input, unknown).",
    WorkEvent.RUN_RESUMED: "What it waited for is there. Data: run, agent.",
    WorkEvent.RUN_RELEASED: "Its worker let go of it, or is gone. Data: run, agent, reason.",
    WorkEvent.RUN_COMPLETED: "It is done. Data: run, agent, message, usage, cost.",
    WorkEvent.RUN_FAILED: "It failed. Data: run, agent, code, message.",
    WorkEvent.RUN_CANCELLED: "It was cancelled. Data: run, agent, reason.",
    WorkEvent.APPROVAL_REQUESTED: (
        "Somebody has to decide. Data: approval, tool_call, run, tool, risk, rule, digest,"
        " expires_at."
    ),
    WorkEvent.APPROVAL_CLAIMED: "Somebody looks at it, or was left it. Data: approval, tool, by, handed_by.",
    WorkEvent.APPROVAL_DECIDED: (
        "It is decided. Data: approval, tool_call, run, tool, state, by, reason, edited, digest."
    ),
    WorkEvent.APPROVAL_EXPIRED: (
        "Nobody decided in time. Data: approval, tool_call, run, tool, state."
    ),
    WorkEvent.APPROVAL_CANCELLED: (
        "It needs no decision any more. Data: approval, tool_call, run, tool, reason."
    ),
    WorkEvent.ATTACHMENT_UPLOADED: (
        "A file came in. Data: attachment, filename, content_type, size (bytes), sha256."
    ),
    WorkEvent.ATTACHMENT_DELETED: "A file was removed. Data: attachment, filename.",
    WorkEvent.ARTIFACT_CREATED: (
        "A file was made. Data: artifact, name, version, content_type, size (bytes), sha256, run."
    ),
    WorkEvent.ARTIFACT_DELETED: "A file was removed. Data: artifact, name, version.",
    WorkEvent.POLICY_GRANTED: (
        "A decision became a rule. Data: grant, approval, scope, tool, verdict, until, by."
    ),
    WorkEvent.POLICY_REVOKED: "Such a rule was taken back. Data: grant, tool, by.",
}
