"""Seed 001: what its clients ask for, and the limits that this sets."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from aegis_project.kit.errors import ValidationFailed
from sessions.core import keys, opaque
from sessions.core import limits as limiting
from sessions.core.dialects import AGENT_SESSIONS
from sessions.core.lifecycle import Kind

T = TypeVar("T", bound=Struct)

SessionType = Literal["metrics", "policy", "simulation", "audit", "custom"]
Word = Annotated[str, Meta(description="init, running, paused, completed or failed.")]
Opaque = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=opaque.LONGEST,
        description="The name of something elsewhere; no path, no URL with credentials.",
    ),
]

SETTINGS = "context.additionalSettings"
FIELDS = {"max_steps": f"{SETTINGS}.maxSteps", "max_seconds": f"{SETTINGS}.duration"}
DURATION = re.compile(r"(?:[0-9]{1,12}(?:\.[0-9]{1,6})?(?:ms|[dhms])){1,5}")
PART = re.compile(r"([0-9.]+)(ms|[dhms])")
SECONDS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class StateMissing(ValidationFailed):
    """A change says to which state; there is none."""


class ContextInput(Struct, frozen=True, kw_only=True, rename="camel"):
    """
    What the workflow is about; other members are kept as well.

    Of `additionalSettings`, `maxSteps` (requests to models) and `duration` ("1h", "5m30s", or
    seconds) bound all runs of the session together; the rest is kept for its agents.
    """

    agents: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=200)]],
        Meta(max_length=200, description="Names of those who take part."),
    ] = []
    state: dict[str, Any] = {}
    policy: Opaque | UnsetType = UNSET
    data_source: Opaque | UnsetType = UNSET
    objective: Annotated[str, Meta(max_length=10_000)] = ""
    additional_settings: dict[str, Any] = {}


class CreateInput(Struct, kw_only=True, rename="camel"):
    """A session to make; `sessionId` is its key."""

    session_type: SessionType
    session_id: Annotated[str, Meta(min_length=1, max_length=128)]
    context: ContextInput = ContextInput()


class ChangeInput(Struct, kw_only=True):
    """Where a session is to go; `result` goes with completed, `error` with failed."""

    state: Word
    result: dict[str, Any] | None = None
    error: Annotated[str, Meta(max_length=2000)] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A session that somebody wants made; ``context`` is what was sent of it."""

    kind: Kind
    key: str
    context: dict[str, Any]
    limits: dict[str, Any]


def wanted(value: Any) -> Wanted:
    """
    The session that a decoded body asks for.

    :raises ValidationFailed: naming what is missing or cannot be
    """
    asked = _read(value, CreateInput)
    try:
        key = keys.check(asked.session_id)
    except ValidationFailed as error:
        raise ValidationFailed(error.message, fields=["sessionId"]) from None
    _check_names(asked.context)
    limits = limits_of(asked.context.additional_settings)
    return Wanted(Kind(asked.session_type), key, value.get("context", {}), limits)


def changed(value: Any) -> ChangeInput:
    """
    The change that a decoded body asks for; its word in small letters.

    :raises StateMissing: without a state
    :raises ValidationFailed: for another word, a result that is none, or one that goes nowhere
    """
    if not isinstance(value, dict) or value.get("state") in (None, ""):
        raise StateMissing("State is required", fields=["state"])
    asked = _read(value, ChangeInput)
    asked.state = word(asked.state)
    _refuse_stray(asked.result, "result", asked.state, "completed")
    _refuse_stray(asked.error, "error", asked.state, "failed")
    return asked


def word(text: str) -> str:
    """
    A word for a state in the seed's own letters, however it was written.

    :raises ValidationFailed: if it is none
    """
    found = text.lower()
    if found not in AGENT_SESSIONS.values():
        known = list(dict.fromkeys(AGENT_SESSIONS.values()))
        raise ValidationFailed(f"state is one of {', '.join(known)}.", fields=["state"])
    return found


def limits_of(settings: dict[str, Any]) -> dict[str, Any]:
    """
    The limits on runs that additional settings name: ``max_steps``, ``max_seconds``.

    :raises ValidationFailed: for one that cannot be read
    """
    steps, duration = settings.get("maxSteps"), settings.get("duration")
    found = {} if steps is None else {"max_steps": steps}
    if duration is not None:
        found["max_seconds"] = seconds(duration)
    for name, value in found.items():
        try:
            limiting.check({name: value})
        except ValidationFailed:
            raise ValidationFailed("A whole number from 0 on.", fields=[FIELDS[name]]) from None
    return found


def seconds(duration: Any) -> int:
    """
    A duration in whole seconds, rounded up: "1h", "5m30s", or a number of seconds.

    :raises ValidationFailed: for anything else
    """
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        return math.ceil(duration)
    if isinstance(duration, str) and DURATION.fullmatch(duration.strip().lower()):
        parts = PART.findall(duration.lower())
        return math.ceil(sum(float(amount) * SECONDS[unit] for amount, unit in parts))
    raise ValidationFailed(
        "A duration is written as 1h, 5m30s, or a number of seconds.",
        fields=[FIELDS["max_seconds"]],
    )


def _check_names(context: ContextInput) -> None:
    named = {"context.policy": context.policy, "context.dataSource": context.data_source}
    for field, name in named.items():
        if not isinstance(name, UnsetType):
            opaque.check(name, field=field)


def _refuse_stray(given: Any, name: str, state: str, belongs_to: str) -> None:
    if given is not None and state != belongs_to:
        raise ValidationFailed(f"{name} goes with the state {belongs_to}.", fields=[name])


def _read(value: Any, kind: type[T]) -> T:
    """A decoded body as ``kind``; members that it does not know are left out."""
    if not isinstance(value, dict):
        raise ValidationFailed("An object is required.")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at `$.")
        field = where.rstrip("`") or _missing(what)
        raise ValidationFailed(f"{what}.", fields=[field] if field else []) from None


def _missing(what: str) -> str:
    """The field of a message that tells of one that is not there."""
    found = re.search(r"missing required field `(\w+)`", what)
    return found[1] if found else ""
