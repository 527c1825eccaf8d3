"""What seed 002 says and hears of a task: its request, its errors, its moments."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from aegis_project.kit.errors import AegisError, ValidationFailed

# What the seed calls the errors of our catalogue; the others have their own names there, too.
CODES = {
    "VALIDATION_ERROR": "INVALID_INPUT",
    "INVALID_MESSAGE": "INVALID_INPUT",
    "MESSAGE_TOO_LONG": "INVALID_INPUT",
    "RUN_NOT_FOUND": "TASK_NOT_FOUND",
    "NOT_AUTHENTICATED": "AUTH_REQUIRED",
    "PERMISSION_DENIED": "INSUFFICIENT_PERMISSIONS",
    "INTERNAL_ERROR": "EXECUTION_ERROR",
}
TEXT_KEYS = ("text", "prompt")

T = TypeVar("T", bound=Struct)
Label = Annotated[str, Meta(max_length=128)]
Reference = Annotated[str, Meta(max_length=128)]


class TaskInput(Struct, kw_only=True):
    """
    What is to be worked on.

    `content` is a text, or an object with a text in `text` or `prompt`; of JSON it is any object.
    """

    type: Annotated[str, Meta(max_length=200)] = "text/plain"
    content: str | dict[str, Any] = ""

    def text(self) -> str:
        """
        What the agent is told.

        :raises ValidationFailed: for an object without a text, unless it is JSON that is meant
        """
        if isinstance(self.content, str):
            return self.content
        for key in TEXT_KEYS:
            if isinstance(found := self.content.get(key), str):
                return found
        if self.type.partition(";")[0].strip().lower() != "application/json":
            raise ValidationFailed("input.content has no text.", fields=["input.content"])
        return msgspec.json.encode(self.content).decode()


class TaskContext(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a task belongs: with `sessionId`, to that session and its history."""

    session_id: Reference = ""
    conversation_id: Reference = ""
    user_id: Reference = ""
    metadata: dict[str, Any] = {}

    def kept(self) -> dict[str, Any]:
        """What stands with the message."""
        named = {"conversationId": self.conversation_id, "userId": self.user_id}
        return {**self.metadata, **{name: value for name, value in named.items() if value}}


class TaskRequest(Struct, kw_only=True, rename="camel"):
    """
    A task to carry out.

    `taskId` is the client's own label. With `returnImmediately` the task is answered as it stands,
    while it goes on.
    """

    input: TaskInput
    task_id: Label = ""
    parameters: dict[str, Any] = {}
    context: TaskContext = TaskContext()
    return_immediately: bool = False


class Attachment(Struct, kw_only=True, rename="camel"):
    """The wish to hear a task that was begun before: what it says behind the chunk `after`."""

    task_id: Label
    after: str | int


def request(value: Any) -> TaskRequest:
    """
    The task in a decoded body; members that nobody knows are left out.

    :raises ValidationFailed: for what is no task
    """
    return read(value, TaskRequest)


def attachment(value: Any) -> Attachment | None:
    """
    The wish to hear a task again in a decoded frame, if it is one.

    :raises ValidationFailed: for one that cannot be
    """
    is_one = isinstance(value, dict) and value.get("after") is not None
    return read(value, Attachment) if is_one else None


def label_of(value: Any) -> str:
    """How the client calls the task of a frame, as far as that can be told."""
    found = value.get("taskId") if isinstance(value, dict) else None
    return found[:128] if isinstance(found, str) else ""


def error(failure: AegisError) -> dict[str, Any]:
    """An error as the seed shows one."""
    return {**failure.as_dict(), "code": code(failure.code)}


def code(ours: str) -> str:
    """The seed's word for one of our codes."""
    return CODES.get(ours, ours)


def moment(at: datetime) -> str:
    """A moment as the seed writes it: UTC, whole seconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(value: Any, kind: type[T]) -> T:
    """
    A decoded body as ``kind``; members that it does not know are left out.

    :raises ValidationFailed: for what is none
    """
    if not isinstance(value, dict):
        raise ValidationFailed("An object is required.")
    try:
        return msgspec.convert(_without_nulls(value), kind)
    except msgspec.ValidationError as fault:
        raise ValidationFailed(str(fault).replace("`$.", "`")) from None


def _without_nulls(value: dict[str, Any]) -> dict[str, Any]:
    # Clients in other languages write what is not set as null.
    known = {name: one for name, one in value.items() if one is not None}
    context = known.get("context")
    if isinstance(context, dict):
        known["context"] = {name: one for name, one in context.items() if one is not None}
    return known
