"""What a template may say of the sessions that are made from it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from aegis_project.kit.errors import ValidationFailed
from components.core.lifecycle import Role as Part
from sessions.core import conversation
from sessions.core import tags as labels
from sessions.core.lifecycle import Environment, Kind, Mode
from streaming.core import rules

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
# Words of the addresses of templates.
TAKEN = frozenset({"import", "from-session"})

Line = Annotated[str, Meta(max_length=200)]
Content = Annotated[str, Meta(min_length=1, max_length=conversation.MAX_CONTENT)]


class Category(StrEnum):
    """What templates are for."""

    GENERAL = "general"
    CODING = "coding"
    WRITING = "writing"
    ANALYSIS = "analysis"
    BRAINSTORM = "brainstorm"
    LEARNING = "learning"
    STREAMS = "streams"
    OPERATIONS = "operations"
    CUSTOM = "custom"


class Participant(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A component that such a session counts on."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    role: Part = Part.OBSERVER
    required: bool = True
    topics: Annotated[list[Line], Meta(max_length=200)] = []
    program: Annotated[str, Meta(max_length=100)] = ""


class Opening(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A message with which such a session begins."""

    content: Content
    role: Literal["user", "assistant", "system"] = "system"


class Recipe(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """
    What a session of a template begins with.

    ``components`` are declared, ``messages`` said, ``tags`` put on it; ``prompts`` are what a
    person may say first. ``config`` names policy, topics and limits as that of a session does.
    """

    name: Line = ""
    kind: Kind = Kind.CHAT
    mode: Mode = Mode.REALTIME
    environment: Environment = Environment.DEVELOPMENT
    agent: Annotated[str, Meta(max_length=100)] = ""
    components: Annotated[list[Participant], Meta(max_length=200)] = []
    messages: Annotated[list[Opening], Meta(max_length=50)] = []
    prompts: Annotated[list[Line], Meta(max_length=20)] = []
    tags: Annotated[list[Line], Meta(max_length=labels.MOST_ON_A_SESSION)] = []
    context: dict[str, Any] = {}
    config: dict[str, Any] = {}
    memory: dict[str, Any] = {}
    metadata: dict[str, Any] = {}


def read(value: Any) -> Recipe:
    """
    A recipe as it is kept or came in.

    :raises ValidationFailed: for what no session could be made from
    """
    try:
        found = msgspec.convert(value, Recipe)
    except msgspec.ValidationError as error:
        raise ValidationFailed(f"The recipe cannot be: {error}.", field="recipe") from None
    names = [one.name for one in found.components]
    if len(set(names)) < len(names):
        raise ValidationFailed("Two components have the same name.", field="recipe.components")
    rules.read(found.config.get("topics"))
    conversation.limits(found.config)
    conversation.admission(found.config)
    for name in found.tags:
        labels.normal(name)
    return found


def kept(recipe: Recipe) -> dict[str, Any]:
    """The recipe as JSON; what is as it would be anyway is left out."""
    plain = {one: value for one, value in msgspec.to_builtins(recipe).items() if value}
    for one in ("kind", "mode", "environment"):
        plain[one] = getattr(recipe, one).value
    return plain


def check_slug(slug: str) -> str:
    """
    The slug of a template, if it can be one.

    :raises ValidationFailed: otherwise
    """
    if not SLUG.fullmatch(slug) or slug in TAKEN:
        raise ValidationFailed(
            "A slug has 1 to 100 small letters, digits, dashes and _, and is no word of an address.",
            field="slug",
        )
    return slug


def merged(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The members of both; where both have one, what was given counts."""
    return {**base, **given}
