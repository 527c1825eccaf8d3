"""JSON Schemas of topics: compiled once, and bounded in what a check may cost."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from streaming.core import patterns

MAX_BYTES = 32_768
MAX_DEPTH = 32
BUDGET = 10_000
"""Keywords that are applied to one record at most."""
MAX_NESTED = 140
"""So many keywords may be applied within one another, well before the stack would end."""
MAX_REASON = 300
COMPILED = 256
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class SchemaRefused(Exception):
    """The schema is not taken; the first argument says why."""


class TooCostly(Exception):
    """Checking a record took more than it may."""


class Schema:
    """
    One JSON Schema (2020-12).

    References stay within the schema, and patterns are those of :mod:`streaming.core.patterns`.

    :raises SchemaRefused: for one that is malformed, too large or refers elsewhere
    """

    def __init__(self, schema: Any) -> None:
        _check(schema)
        self._left = self._nested = 0
        own = {name: value for name, value in schema.items() if name not in {"$schema", "$id"}}
        keywords = {
            name: self._counted(name, keyword)
            for name, keyword in Draft202012Validator.VALIDATORS.items()
        }
        extend: Any = validators.extend
        # A class of its own, because subschemas are checked by new instances of it.
        kind = extend(Draft202012Validator, keywords)
        self._validator = kind(own, registry=Registry())

    def fault(self, data: bytes) -> str | None:
        """Say what is wrong with the data of a record (JSON), in words; None when nothing is."""
        self._left, self._nested = BUDGET, 0
        try:
            error = next(self._validator.iter_errors(msgspec.json.decode(data)), None)
        except (TooCostly, RecursionError):
            return "it takes too long to check"
        return None if error is None else f"{error.json_path}: {error.message}"[:MAX_REASON]

    def _counted(self, name: str, keyword: Keyword) -> Keyword:
        def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
            self._left -= _cost(name, instance)
            if self._left < 0 or self._nested >= MAX_NESTED:
                raise TooCostly
            if name in MATCHING and _is_too_long(name, instance, schema):
                text = f"is longer than {patterns.LONGEST_TEXT} characters"
                yield ValidationError(f"What a pattern is compared with {text}")
            else:
                self._nested += 1
                try:
                    yield from keyword(validator, value, instance, schema) or ()
                finally:
                    self._nested -= 1

        return counted


# The keywords that compare with patterns: the text, or the names of an object's members.
MATCHING = frozenset(
    {"pattern", "patternProperties", "additionalProperties", "unevaluatedProperties"}
)


def _is_too_long(name: str, instance: Any, schema: Any) -> bool:
    if name == "pattern":
        return isinstance(instance, str) and len(instance) > patterns.LONGEST_TEXT
    if not isinstance(instance, dict) or "patternProperties" not in schema:
        return False
    return any(len(key) > patterns.LONGEST_TEXT for key in instance)


def _cost(name: str, instance: Any) -> int:
    if name != "uniqueItems" or not isinstance(instance, list):
        return 1
    # Values that cannot be sorted are compared each with each.
    is_sortable = {type(one) for one in instance} in ({int}, {str}, {float})
    return 1 + (len(instance) // 16 if is_sortable else len(instance) ** 2)


def _check(schema: Any) -> None:
    if not isinstance(schema, dict):
        raise SchemaRefused("a schema is an object")
    if len(msgspec.json.encode(schema)) > MAX_BYTES:
        raise SchemaRefused(f"a schema has at most {MAX_BYTES} bytes")
    if schema.get("$schema", DIALECT) != DIALECT:
        raise SchemaRefused(f"the only dialect is {DIALECT}")
    _check_parts(schema, schema, depth=0)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise SchemaRefused(error.message[:MAX_REASON]) from None


def _check_parts(root: Any, part: Any, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SchemaRefused(f"a schema is nested at most {MAX_DEPTH} deep")
    if isinstance(part, list):
        for item in part:
            _check_parts(root, item, depth=depth + 1)
    elif isinstance(part, dict):
        for name, value in part.items():
            _check_member(root, part, name, value)
            _check_parts(root, value, depth=depth + 1)


def _check_member(root: Any, part: Any, name: str, value: Any) -> None:
    found: list[str] = []
    if name in {"$ref", "$dynamicRef"} and isinstance(value, str):
        _check_reference(root, value)
    elif name in {"$id", "$schema"} and isinstance(value, str) and part is not root:
        raise SchemaRefused(f"{name} stands only at the root")
    elif name == "pattern" and isinstance(value, str):
        found = [value]
    elif name == "patternProperties" and isinstance(value, dict):
        found = list(value)
    for pattern in found:
        reason = patterns.fault(pattern)
        if reason:
            raise SchemaRefused(f"{pattern[:100]}: {reason}")


def _check_reference(root: Any, reference: str) -> None:
    if not reference.startswith("#"):
        raise SchemaRefused("a reference stays within the schema")
    own = {name: value for name, value in root.items() if name not in {"$schema", "$id"}}
    try:
        Registry().with_resource("", DRAFT202012.create_resource(own)).resolver().lookup(reference)
    except Unresolvable:
        raise SchemaRefused(f"{reference[:100]} is not in the schema") from None


def compiled(schema: Any) -> Schema:
    """
    The schema, made once for all sessions that have the same.

    :raises SchemaRefused: see :class:`Schema`
    """
    return _compiled(msgspec.json.encode(schema, order="deterministic"))


@lru_cache(COMPILED)
def _compiled(text: bytes) -> Schema:
    return Schema(msgspec.json.decode(text))
