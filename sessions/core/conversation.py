"""What a conversation may hold: roles, limits, titles."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from sessions.core.errors import InvalidMessage, MessageTooLong

MAX_CONTENT = 100_000
"""Characters of one message; the least is 1."""

TITLE_LENGTH = 50
PREVIEW_LENGTH = 200
MIB = 1024 * 1024


class Role(StrEnum):
    """Who said a message."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


SPOKEN = frozenset({Role.USER, Role.SYSTEM})
"""What somebody may say; an assistant's and a tool's messages are written by runs."""


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


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What one session may hold, as its ``config`` says; None is no limit.

    Messages of every role count; attachments are those of one message; sizes are bytes.
    """

    max_messages: int | None = None
    max_attachments: int | None = None
    max_attachment_size: int | None = None
    timeout_minutes: int | None = None


RANGES = {
    "max_messages": range(10, 100_001),
    "max_attachments": range(1, 51),
    "max_attachment_size": range(1024, 100 * MIB + 1),
    "timeout_minutes": range(5, 1441),
}

# Those of a chat that is made at the canonical address without a kind, as seed 004 makes them.
OF_CHAT: dict[str, Any] = {
    "max_messages": 100,
    "max_attachments": 10,
    "max_attachment_size": 10 * MIB,
    "timeout_minutes": 60,
}


def limits(config: Mapping[str, Any]) -> Limits:
    """
    The limits in the configuration of a session.

    :raises ValidationFailed: for one that is no whole number in its range
    """
    given = {name: config[name] for name in RANGES if config.get(name) is not None}
    for name, value in given.items():
        allowed = RANGES[name]
        if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
            raise ValidationFailed(
                f"{name} must be from {allowed.start} to {allowed.stop - 1}.",
                field=f"config.{name}",
            )
    return Limits(**given)


def expiry(config: Mapping[str, Any], *, now: datetime) -> datetime | None:
    """When a session that is used now ends if nothing more comes; None if that is not said."""
    minutes = limits(config).timeout_minutes
    return None if minutes is None else now + timedelta(minutes=minutes)


def admission(config: Mapping[str, Any]) -> Admission:
    """
    What a session does with messages that come while its agent works; by default they queue.

    :raises ValidationFailed: if it says none of the words
    """
    word = config.get("admission")
    if word is None:
        return Admission.ENQUEUE
    if word not in list(Admission):
        raise ValidationFailed(
            f"admission must be one of {', '.join(Admission)}.", field="config.admission"
        )
    return Admission(word)


def check(content: str, *, role: Role) -> None:
    """
    Go on only with a message that somebody may say.

    :raises InvalidMessage: without content, with characters no database keeps, or in a role that
        only runs speak in
    :raises MessageTooLong: above 100 000 characters
    """
    if role not in SPOKEN:
        raise InvalidMessage(f"Only a run says messages of the role {role}.", role=role.value)
    if not content:
        raise InvalidMessage("A message has at least one character.")
    if len(content) > MAX_CONTENT:
        raise MessageTooLong(
            f"A message has at most {MAX_CONTENT} characters.",
            longest=MAX_CONTENT,
            length=len(content),
        )
    if "\x00" in content or not _is_unicode(content):
        raise InvalidMessage("A message has no NUL characters and no lone surrogates.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def title(content: str) -> str:
    """The name of a conversation that begins with this message: its first 50 characters."""
    return " ".join(content[: TITLE_LENGTH * 4].split())[:TITLE_LENGTH]


def preview(content: str) -> str:
    """The beginning of a message, as its event shows it."""
    return content[:PREVIEW_LENGTH]
