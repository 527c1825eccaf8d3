"""Topic rules: what a session says of its topics in ``config.topics``, the first match counting."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from aegis_project.kit.errors import ValidationFailed
from streaming.core import schemas, topics
from streaming.core.errors import UnknownTopic
from streaming.core.schemas import SchemaRefused

PLACE = "config.topics"
MAX_RULES = 100
DAY_SECONDS = 86_400


class Keep(Struct, frozen=True, forbid_unknown_fields=True):
    """The newest records are kept within all three bounds; ``bytes`` counts their data."""

    records: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    bytes: Annotated[int, Meta(ge=1024, le=268_435_456)] = 16 * 1024 * 1024
    age_seconds: Annotated[float, Meta(gt=0, le=2_592_000)] = 3600.0


class TapeKeep(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a recorded topic stays on its tape; 0 is no bound. ``bytes`` counts the data."""

    days: Annotated[float, Meta(ge=0, le=36_500)] = 7
    bytes: Annotated[int, Meta(ge=0)] = 0

    @property
    def seconds(self) -> float:
        """The age that is kept, 0 for any."""
        return self.days * DAY_SECONDS


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """
    What holds for the topics that match ``pattern``.

    ``keep`` (written ``retention``) bounds what can be read at once, ``tape`` what a ``recorded``
    topic keeps in the database; without them the defaults of the process count. ``schema`` is the
    JSON Schema of a record's data, ``on_invalid`` what becomes of one that breaks it.
    """

    pattern: str
    recorded: bool = False
    keep: Keep | None = msgspec.field(default=None, name="retention")
    tape: TapeKeep | None = None
    schema: dict[str, Any] | None = None
    on_invalid: Literal["refuse", "quarantine"] = "refuse"


DEFAULT = Rule("**")


class Rules(Struct, frozen=True):
    """The rules of one session, in their order."""

    rules: tuple[Rule, ...] = ()

    def of(self, name: str) -> Rule:
        """The first rule whose pattern includes the topic ``name``; the default when none does."""
        return next((one for one in self.rules if topics.matches(one.pattern, name)), DEFAULT)


NONE = Rules()


def read(value: Any) -> Rules:
    """
    The rules as ``config.topics`` has them; no value at all is no rules.

    :raises ValidationFailed: naming the place of the first thing that cannot be
    """
    if value is None:
        return NONE
    try:
        found = msgspec.convert(value, Annotated[list[Rule], Meta(max_length=MAX_RULES)])
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise _refused(where.rstrip("`"), what) from None
    for index, rule in enumerate(found):
        _check(f"[{index}]", rule)
    return Rules(tuple(found))


def _check(place: str, rule: Rule) -> None:
    try:
        topics.check_pattern(rule.pattern)
    except UnknownTopic:
        raise _refused(f"{place}.pattern", "No pattern of topics") from None
    if rule.schema is None:
        return
    try:
        schemas.compiled(rule.schema)
    except SchemaRefused as refusal:
        raise _refused(f"{place}.schema", f"No schema that is taken: {refusal}") from None


def _refused(where: str, what: str) -> ValidationFailed:
    place = PLACE + where
    return ValidationFailed(f"{place}: {what}.", field=place)
