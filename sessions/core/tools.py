"""What is known of a tool before it is called, and whether arguments and results fit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError
from sessions.core.errors import InvalidToolArgs
from sessions.core.tool_calls import LARGEST, Risk
from streaming.core import schemas
from streaming.core.schemas import SchemaRefused

TIMEOUT_SECONDS = 30.0
QUESTION = "ask_person"
"""The built-in tool that nothing carries out: a person's next message is its result."""
MAX_ARGUMENTS = 256 * 1024
"""Bytes of a call's arguments, as JSON."""
MAX_RESULT = 256 * 1024
"""Bytes of a result, as JSON; what is longer is kept as an artifact and begins here."""
# The marker has its own names and numbers.
ROOM = 1024
COMPONENT = "component."
"""A tool that a component offers is named by this, the component, a dot, and what it does."""
DELEGATION = "delegate"
"""The built-in tool with which an agent lets another one work beneath its own run."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """
    What is known of a tool before it is called.

    ``parameters`` is a JSON Schema (2020-12) of an object. ``is_idempotent``: repeated with the
    same effect key it acts once. ``always_ask``: somebody approves it in every mode. ``source`` is
    builtin, python, mcp or component.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    risk: Risk = Risk.HIGH
    version: str = "1"
    timeout_seconds: float = TIMEOUT_SECONDS
    is_idempotent: bool = False
    always_ask: bool = False
    source: str = "python"
    evidence: tuple[str, ...] = field(default=())
    """Topics whose newest value a decision rests on; ``{name}`` is an argument."""

    @property
    def is_question(self) -> bool:
        """Whether a person answers it, and nothing is carried out."""
        return (self.source, self.name) == ("builtin", QUESTION)


def of_component(component: str, what: str) -> str:
    """The name of a tool that a component offers."""
    return f"{COMPONENT}{component}.{what}"


def parted(name: str) -> tuple[str, str]:
    """What a tool does, and the component that offers it; empty for every other tool."""
    whose, _, what = name.removeprefix(COMPONENT).partition(".")
    return (what, whose) if name.startswith(COMPONENT) and what else (name, "")


def checked(spec: ToolSpec, arguments: Any) -> dict[str, Any]:
    """
    The arguments, if a tool can be called with them.

    :raises InvalidToolArgs: for no object, for what no database keeps, and against the schema
    """
    plain = _plain(arguments)
    try:
        fault = schemas.compiled(spec.parameters).fault(msgspec.json.encode(plain))
    except SchemaRefused as refused:
        raise InvalidToolArgs(f"The schema of the tool is unusable: {refused}.") from None
    if fault is not None:
        raise InvalidToolArgs(f"{spec.name}: {fault}.", tool=spec.name)
    return plain


def _plain(arguments: Any) -> dict[str, Any]:
    try:
        value = strict.decode(msgspec.json.encode(arguments), max_bytes=MAX_ARGUMENTS)
    except (AegisError, TypeError, ValueError, RecursionError) as error:
        raise InvalidToolArgs(f"The arguments are unusable: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise InvalidToolArgs("The arguments are not an object.")
    if _has_large(value):
        raise InvalidToolArgs("The arguments are unusable: there is a number beyond 64 bits.")
    return value


def _has_large(value: Any) -> bool:
    if isinstance(value, float):
        return abs(value) >= LARGEST
    if isinstance(value, dict):
        return any(map(_has_large, value.values()))
    return isinstance(value, list) and any(map(_has_large, value))


@dataclass(frozen=True, slots=True)
class Result:
    """
    What a tool returned, as JSON that every database keeps; ``whole`` is all of it.

    ``beginning`` is set instead of ``value`` where the whole is too long to be kept in a row.
    """

    whole: bytes
    value: Any = None
    beginning: str | None = None

    def marked(self, *, artifact: Mapping[str, Any]) -> Any:
        """The value that is kept in the row: itself, or its beginning and where the whole is."""
        if self.beginning is None:
            return self.value
        return {
            "truncated": True,
            "size": len(self.whole),
            "artifact": dict(artifact),
            "beginning": self.beginning,
        }


def result(value: Any, *, most: int = MAX_RESULT) -> Result:
    """
    What a tool returned, cleaned of what cannot be kept and cut off if it is too long.

    :raises ValueError: if it cannot be written as JSON
    """
    try:
        whole = msgspec.json.encode(cleaned(value))
    except (TypeError, RecursionError, UnicodeError) as error:
        raise ValueError(f"What it returned is not JSON: {str(error)[:200]}") from None
    if len(whole) <= most:
        return Result(whole, msgspec.json.decode(whole))
    return Result(whole, beginning=beginning(whole, most - ROOM))


def beginning(whole: bytes, most: int) -> str:
    """The text of so many bytes of JSON that it takes no more than that as a JSON text again."""
    text = whole[:most].decode(errors="ignore")
    while len(msgspec.json.encode(text)) > most:
        text = text[: len(text) * 3 // 4]
    return text


def cleaned(value: Any) -> Any:
    """The same value without NUL, lone surrogates, and numbers that no JSON or database has."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {cleaned(str(key)): cleaned(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [cleaned(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    is_kept = value in strict.INTEGERS if isinstance(value, int) else abs(value) < LARGEST
    return value if is_kept else str(value)
