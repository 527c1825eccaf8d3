"""What a conversation may hold: roles, limits, titles."""

from enum import StrEnum

MAX_CONTENT = 100_000
"""Characters of one message; the least is 1."""

TITLE_LENGTH = 50


class Role(StrEnum):
    """Who said a message."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Admission(StrEnum):
    """What becomes of a message while the agent is still at work on another."""

    REJECT = "reject"
    ENQUEUE = "enqueue"
    INTERRUPT = "interrupt"
    ROLLBACK = "rollback"


class AttachmentKind(StrEnum):
    """What an attachment is, by its content."""

    IMAGE = "image"
    DOCUMENT = "document"
    CODE = "code"
    DATA = "data"
    OTHER = "other"
