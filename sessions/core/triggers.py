"""What wakes an agent by itself: which records, and what it is told."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from aegis_project.kit.errors import ValidationFailed
from sessions.core import matching
from sessions.core.matching import Condition

LONGEST_DATA = 4000
"""Characters of a record that are told; what is longer is cut off."""
PROMPT = "{topic}: {data}"


class Conditions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be true of a record: ``all`` of these and, if there are some, ``any`` of those."""

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()


def read(condition: Mapping[str, Any]) -> Conditions:
    """
    The conditions of a trigger; none is true of every record.

    :raises ValidationFailed: if they are none
    """
    try:
        return msgspec.convert(condition, Conditions)
    except msgspec.ValidationError as error:
        raise ValidationFailed(f"The condition is none: {error}.", field="condition") from None


def holds(conditions: Conditions, data: Any) -> bool:
    """Whether a record wakes the agent."""
    if not all(matching.holds(one, data, of_each=False) for one in conditions.all):
        return False
    found = (matching.holds(one, data, of_each=False) for one in conditions.any)
    return not conditions.any or any(found)


def passed_on(content: str, cause: str) -> tuple[str, int, Any] | None:
    """
    The topic, number and data of the record that a message passes on; None if it shows none whole.

    ``cause`` names the record as ``topic:epoch:seq``.
    """
    topic, _, place = cause.partition(":")
    number = place.rpartition(":")[2]
    beginning = f"{topic}: "
    if not (number.isascii() and number.isdecimal() and content.startswith(beginning)):
        return None
    try:
        return topic, int(number), msgspec.json.decode(content.removeprefix(beginning))
    except msgspec.DecodeError:
        return None


def prompt(template: str, *, topic: str, data: str) -> str:
    """What the agent is told: the template with the topic and the record in it."""
    shown = data if len(data) <= LONGEST_DATA else data[: LONGEST_DATA - 1] + "…"
    told = (template or PROMPT).replace("{topic}", topic)
    return told.replace("{data}", shown)
