"""What a body may say, for people: each field with its kind, its words and what it is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from streaming.api import schema

KINDS = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "object",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body; ``words`` are all that it may say, if they are few."""

    name: str
    kind: str
    words: tuple[str, ...]
    about: str
    is_needed: bool


def of(body: Any) -> list[Field]:
    """The fields of a struct, in their order; none of what is no struct."""
    if not (isinstance(body, type) and issubclass(body, Struct)):
        return []
    whole = schema.components_of(body)[body.__name__]
    needed = set(whole.get("required", ()))
    return [
        _field(name, value, is_needed=name in needed)
        for name, value in whole.get("properties", {}).items()
    ]


def _field(name: str, value: Mapping[str, Any], *, is_needed: bool) -> Field:
    ways = [value, *value.get("anyOf", ())]
    kinds = dict.fromkeys(
        KINDS.get(way.get("type", ""), "object") for way in ways if "anyOf" not in way
    )
    words = [str(word) for way in ways for word in way.get("enum", ()) if word is not None]
    about = next((way["description"] for way in ways if "description" in way), "")
    return Field(name, " or ".join(kinds), tuple(words), about, is_needed)
