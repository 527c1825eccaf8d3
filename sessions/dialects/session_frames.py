"""What a client of a session's socket says: the frames of seed 004, read strictly."""

from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from aegis_project.kit import strict
from aegis_project.kit.errors import ValidationFailed
from sessions.core.conversation import Admission
from streaming.core import position
from streaming.core.position import Cursor
from streaming.core.resume import Start

MAX_BYTES = 2 * 1024 * 1024
"""A message of 100 000 characters fits, however it is written."""

Reference = Annotated[str, Meta(max_length=128)]
Reason = Annotated[str, Meta(max_length=500)]


class Frame(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """The ground of all frames; ``ref`` comes back with what it is answered."""

    ref: Reference = ""


class Authenticate(Frame, kw_only=True, tag="authenticate"):
    """Who is there, if neither cookie nor header said it, where it goes on, and what it hears."""

    token: Annotated[str, Meta(max_length=500)]
    after: str = ""
    updates: Literal["", "agent-session"] = ""


class Say(Frame, kw_only=True, tag="message"):
    """Something to say."""

    content: str
    attachments: list[UUID] = []
    parent_id: UUID | None = None
    agent: Annotated[str, Meta(max_length=100)] = ""
    metadata: dict[str, Any] = {}
    admission: Admission | None = None
    answers: bool | None = None


class Decide(Frame, kw_only=True, tag="approval"):
    """A decision on a tool call."""

    approval_id: UUID
    approved: bool
    feedback: str = ""
    edited_arguments: dict[str, Any] | None = None
    version: int | None = None


class Cancel(Frame, kw_only=True, tag="cancel"):
    """Cancel what the session's agents do, or one run."""

    reason: Reason = ""
    run_id: UUID | None = None


class Reconnect(Frame, kw_only=True, tag="reconnect"):
    """What was missed behind an event, and what is pending."""

    after: Annotated[int, Meta(ge=0, le=position.MAX_SEQ)] | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 100


class Heartbeat(Frame, kw_only=True, tag="heartbeat"):
    """A sign of life."""


AnyFrame: TypeAlias = Authenticate | Say | Decide | Cancel | Reconnect | Heartbeat


def decode(raw: str | bytes) -> dict[str, Any]:
    """
    The object in a frame.

    :raises ValidationFailed: for what is none
    :raises PayloadTooLarge: above 2 MiB
    """
    value = strict.decode(raw, max_bytes=MAX_BYTES)
    if not isinstance(value, dict):
        raise ValidationFailed("A frame is an object.")
    return value


def read(value: dict[str, Any]) -> AnyFrame:
    """
    The frame that an object is.

    :raises ValidationFailed: if it is none of this socket
    """
    try:
        found: AnyFrame = msgspec.convert(value, AnyFrame)
    except msgspec.ValidationError as error:
        raise ValidationFailed(f"This is no frame of this socket: {error}.") from None
    return found


def reference(value: dict[str, Any]) -> str:
    """How the client calls the frame, also one that cannot be read."""
    found = value.get("ref", "")
    return found[:128] if isinstance(found, str) else ""


def place(after: str, *, head: int) -> tuple[Start, Cursor | None]:
    """
    Where the ledger is gone on with: behind a number, a position, or (when empty) what there is.

    :raises ValidationFailed: for anything else
    """
    if not after:
        return Start("seq", head + 1), None
    if ":" in after:
        cursor = position.parse(after)
        return Start("seq", cursor.seq + 1), cursor
    if not position.DIGITS.match(after) or int(after) > position.MAX_SEQ:
        raise ValidationFailed("after is the number or the position of an event.", fields=["after"])
    return Start("seq", int(after) + 1), None
