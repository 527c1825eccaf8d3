"""What a model is shown of a conversation."""

from dataclasses import dataclass
from typing import Any

import msgspec

from sessions.core.conversation import Role


@dataclass(frozen=True, slots=True)
class Media:
    """A file shown to a model, or made by one."""

    media_type: str
    data: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A model asks for a tool; ``id`` is the model's own."""

    id: str
    tool: str
    arguments: dict[str, Any]


class Turn(msgspec.Struct, frozen=True):
    """
    One entry of a conversation.

    An assistant's may ask for tools; one of the role ``tool`` answers the request ``answers``. A
    conversation holds thousands, which are made for each request, so that what makes one counts.
    """

    role: Role
    content: str
    media: tuple[Media, ...] = ()
    requests: tuple[ToolRequest, ...] = ()
    answers: str = ""
    is_error: bool = False
