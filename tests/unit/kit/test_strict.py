import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError, PayloadTooLarge, ValidationFailed

ROOM = 1_000_000

clean_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
clean_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | clean_texts
)
clean_values = st.recursive(
    clean_scalars,
    lambda values: st.lists(values) | st.dictionaries(clean_texts, values),
    max_leaves=20,
)
any_texts = st.text(st.characters())
any_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_texts,
    lambda values: st.lists(values) | st.dictionaries(any_texts, values),
    max_leaves=20,
)


def decoded(raw: bytes | str, **limits: int) -> Any:
    return strict.decode(raw, **{"max_bytes": ROOM, **limits})


def outcome(raw: bytes | str) -> Any:
    """The value, or the class of the refusal; any other exception is a fault."""
    try:
        return decoded(raw)
    except AegisError as error:
        return type(error)


def nested(depth: int, *, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


@given(clean_values, st.booleans(), st.booleans())
def test_clean_json_decodes_to_what_was_written(value: Any, is_ascii: bool, is_bytes: bool):
    text = json.dumps(value, ensure_ascii=is_ascii)

    assert decoded(text.encode() if is_bytes else text) == value


@given(any_values)
def test_json_decodes_to_what_was_written_or_is_refused(value: Any):
    text = json.dumps(value)

    assert outcome(text) in (value, ValidationFailed)


@given(st.binary() | st.text(alphabet='[]{}":,\\u0dDeE+-.19ntf \x00\ud800é'))
def test_nonsense_is_refused_with_an_error_of_the_catalogue_and_nothing_else(raw: bytes | str):
    outcome(raw)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("", "The JSON is malformed."),
        ("1 2", "The JSON is malformed."),
        ("\ufeff1", "The JSON is malformed."),
        ('{"a":1', "The JSON is malformed."),
        ('"a\x00"', "The JSON is malformed."),
        (b"\xff", "The text is not UTF-8."),
        ('"\ud800"', "The text is not UTF-8."),
        (r'"\ud800"', "The JSON has a lone surrogate."),
        (r'["é", "\udc00 \ud800"]', "The JSON has a lone surrogate."),
        (r'{"\ud800": 1}', "The JSON has a lone surrogate."),
        (r'"\u0000"', "The JSON has a NUL character."),
        (r'{"a": [{"\u0000": 1}]}', "The JSON has a NUL character."),
        ("NaN", "NaN is not a JSON number."),
        ("[-Infinity]", "-Infinity is not a JSON number."),
        ("1e400", "The JSON has a number beyond 64 bits."),
        ("[-1e400]", "The JSON has a number beyond 64 bits."),
        (str(2**64), "The JSON has an integer beyond 64 bits."),
        (str(-(2**63) - 1), "The JSON has an integer beyond 64 bits."),
        ("9" * 10_000, "The JSON has an integer beyond 64 bits."),
        ('{"a": 1, "a": 1}', "The JSON has a key twice in one object."),
        (r'{"a": 1, "\u0061": 1}', "The JSON has a key twice in one object."),
        (nested(65), "The JSON is nested too deeply."),
        (nested(33, opening='{"a":[', closing="]}"), "The JSON is nested too deeply."),
        (nested(65) + "]", "The JSON is malformed."),
        ("[" * 100_000, "The JSON is nested too deeply."),
        ('{"a":' * 100_000, "The JSON is nested too deeply."),
    ],
)
def test_json_outside_the_rules_is_refused_by_name(raw: bytes | str, message: str):
    with pytest.raises(ValidationFailed) as refusal:
        decoded(raw)

    assert refusal.value.message == message


def test_json_is_nested_as_deeply_as_allowed_and_no_deeper():
    deepest = nested(3)

    assert decoded(deepest, max_depth=3) == [[[]]]
    with pytest.raises(ValidationFailed):
        decoded(deepest, max_depth=2)


def test_siblings_do_not_count_as_depth():
    wide = "[" + ",".join(["[{}, 1]"] * 100) + "]"

    assert decoded(wide) == [[{}, 1]] * 100


def test_brackets_within_strings_do_not_count_as_depth():
    assert decoded(json.dumps("[" * 100)) == "[" * 100


def test_both_ends_of_64_bits_are_integers():
    assert decoded(f"[{2**64 - 1}, {-(2**63)}]") == [2**64 - 1, -(2**63)]


def test_a_paired_surrogate_escape_is_one_character():
    assert decoded(r'"\ud83d\ude00"') == "😀"


def test_a_number_keeps_its_kind():
    one, number = decoded("[1, 1.0]")

    assert (type(one), type(number)) == (int, float)
    assert math.copysign(1, decoded("-0.0")) == -1


@pytest.mark.parametrize("raw", [b'"\xc3\xa9"', '"é"'])
def test_size_counts_the_bytes_of_utf8(raw: bytes | str):
    assert decoded(raw, max_bytes=4) == "é"

    with pytest.raises(PayloadTooLarge) as refusal:
        decoded(raw, max_bytes=3)

    assert refusal.value.details == {"max_bytes": 3}


def test_size_is_refused_before_the_text_is_looked_at():
    with pytest.raises(PayloadTooLarge):
        decoded(b"\xff" * 5, max_bytes=4)


def test_an_endless_string_of_escapes_is_refused_like_any_other_nonsense():
    # A backtracking scan of this takes hours, so the time limit of the test is the assertion.
    with pytest.raises(ValidationFailed):
        decoded("[" * 65 + '"' + '\\"' * 400_000)
