import json
from typing import Any

import pytest

from streaming.core import schemas
from streaming.core.schemas import SchemaRefused

PRICE = {
    "$schema": schemas.DIALECT,
    "$id": "https://example.com/price",
    "type": "object",
    "required": ["price"],
    "properties": {
        "price": {"$ref": "#/$defs/positive"},
        "symbol": {"type": "string", "pattern": "^[A-Z]+$"},
        "tags": {"uniqueItems": True},
    },
    "patternProperties": {"^x-": {"type": "string"}},
    "additionalProperties": False,
    "$defs": {"positive": {"type": "number", "exclusiveMinimum": 0}},
}


def fault(schema, value):
    return schemas.compiled(schema).fault(json.dumps(value).encode())


@pytest.mark.parametrize(
    "value",
    [
        {"price": 1},
        {"price": 0.5, "symbol": "BTC", "x-note": "", "tags": ["a", "b"]},
        {"price": 1, "tags": [{"a": 1}, {"a": 2}]},
        {"price": 1, "tags": list(range(50_000))},
    ],
)
def test_record_that_fits_has_no_fault(value):
    assert fault(PRICE, value) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "$: [] is not of type 'object'"),
        ({}, "$: 'price' is a required property"),
        ({"price": 0}, "$.price: 0 is less than or equal to the minimum of 0"),
        ({"price": 1, "symbol": "btc"}, "$.symbol: 'btc' does not match '^[A-Z]+$'"),
        ({"price": 1, "tags": [1, 1]}, "$.tags: [1, 1] has non-unique elements"),
        (
            {"price": 1, "symbol": "A" * 257},
            "$.symbol: What a pattern is compared with is longer than 256 characters",
        ),
        (
            {"price": 1, "x-" + "a" * 255: ""},
            "$: What a pattern is compared with is longer than 256 characters",
        ),
    ],
)
def test_fault_is_told_with_its_place(value, reason):
    assert fault(PRICE, value) == reason


def test_reason_is_short_however_long_the_record():
    assert len(fault({"type": "object"}, "x" * 10_000)) == schemas.MAX_REASON


def nested(depth):
    value: Any = {}
    for _ in range(depth):
        value = {"a": value}
    return value


TWICE = [{"properties": {"a": {"$ref": "#"}}, "required": ["z"]}] * 2


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"$ref": "#"}, 1),
        ({"anyOf": TWICE}, nested(40)),
        ({"uniqueItems": True}, [{"n": n} for n in range(200)]),
        ({"items": {"allOf": [{"minimum": 0}] * 20}}, list(range(1000))),
    ],
)
def test_record_that_takes_too_long_to_check_is_at_fault(schema, value):
    assert fault(schema, value) == "it takes too long to check"


def test_schema_that_refers_to_itself_follows_data_as_deep_as_data_may_be():
    tree = {"properties": {"a": {"$ref": "#"}}, "maxProperties": 1}

    assert fault(tree, nested(62)) is None
    assert fault({"items": {"not": {"const": 1}}}, list(range(2, 1000))) is None


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (1, "a schema is an object"),
        ({"allOf": [{}] * 20_000}, "a schema has at most 32768 bytes"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "the only dialect is"),
        ({"type": "price"}, "'price' is not valid"),
        ({"$ref": "https://example.com/other"}, "a reference stays within the schema"),
        ({"items": {"$dynamicRef": "other"}}, "a reference stays within the schema"),
        ({"$ref": "#/$defs/none"}, "#/$defs/none is not in the schema"),
        ({"items": {"$id": "other"}}, "$id stands only at the root"),
        ({"items": {"$schema": schemas.DIALECT}}, "$schema stands only at the root"),
        ({"pattern": "(a+)+"}, "(a+)+: a pattern repeats nothing that repeats"),
        ({"patternProperties": {"(": {}}}, "(: this is no regular expression"),
        ({"not": nested(32)}, "a schema is nested at most 32 deep"),
    ],
)
def test_schema_that_cannot_be_checked_within_bounds_is_refused(schema, reason):
    with pytest.raises(SchemaRefused) as refused:
        schemas.compiled(schema)

    assert str(refused.value).startswith(reason)


def test_names_of_members_are_no_keywords():
    schema = {"properties": {"$id": {"type": "string"}, "pattern": {"type": "string"}}}

    assert fault(schema, {"$id": "x", "pattern": "(a+)+"}) is None


def test_same_schema_is_compiled_once():
    schema, turned = {"type": "string", "minLength": 1}, {"minLength": 1, "type": "string"}

    assert schemas.compiled(schema) is schemas.compiled(turned)
