from uuid import UUID

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import keys
from sessions.core.errors import AmbiguousReference


@pytest.mark.parametrize("key", ["a", "7", "Feed-1", "a.b_c~d", "x" * 128, "starts"])
def test_a_key_of_the_form_is_given_back(key: str):
    assert keys.check(key) == key


@pytest.mark.parametrize(
    "key", ["", "-a", ".a", "a b", "a/b", "a\n", "é", "a\x00", "x" * 129, "a:b", "a%20b"]
)
def test_a_key_outside_the_form_is_refused(key: str):
    with pytest.raises(ValidationFailed) as refusal:
        keys.check(key)

    assert refusal.value.details == {"key": key[:128]}


@pytest.mark.parametrize("word", [*sorted(keys.RESERVED), "Start", "SESSIONS", "Tool-Calls"])
def test_a_key_is_no_word_of_an_address_in_any_case(word: str):
    with pytest.raises(ValidationFailed) as refusal:
        keys.check(word)

    assert refusal.value.message == f"{word} is a reserved word."


def test_the_words_of_the_specification_are_reserved():
    words = {"start", "recover", "attach", "messages", "tool-calls", "topics", "stats", "stream"}

    assert words <= keys.RESERVED


@pytest.mark.parametrize(
    "text",
    [
        "5f0c3b1e-9f3c-4c59-8a44-0d9d3f0f7a11",
        "5F0C3B1E9F3C4C598A440D9D3F0F7A11",
        "{5f0c3b1e-9f3c-4c59-8a44-0d9d3f0f7a11}",
    ],
)
def test_a_uuid_is_recognised_in_each_of_its_forms(text: str):
    assert keys.as_uuid(text) == UUID("5f0c3b1e-9f3c-4c59-8a44-0d9d3f0f7a11")


@pytest.mark.parametrize("text", ["", "feed", "5f0c3b1e-9f3c-4c59-8a44"])
def test_anything_else_is_no_uuid(text: str):
    assert keys.as_uuid(text) is None


@pytest.mark.parametrize(
    ("beginning", "digits"), [("5f0c", "5f0c"), ("5F0C2A1B-77", "5f0c2a1b77"), ("0" * 31, "0" * 31)]
)
def test_the_beginning_of_an_id_spans_all_that_begin_so(beginning: str, digits: str):
    span = keys.span(beginning)

    assert span is not None
    first, last = span
    assert (first.hex, last.hex) == (digits.ljust(32, "0"), digits.ljust(32, "f"))


@pytest.mark.parametrize("text", ["", "5f0", "5f-0", "5f0g", "latest", "5f0c…", "0" * 32])
def test_what_is_short_whole_or_no_id_spans_nothing(text: str):
    assert keys.span(text) is None


IDS = ["5f0c2a1b-0000-4000-8000-000000000001", "5f0c2a1b-0000-4000-8000-000000000002"]


@pytest.mark.parametrize(
    ("beginning", "whole"),
    [(IDS[0], IDS[0]), ("5F0C2A1B00004000-8000000000000002", IDS[1]), ("91ab", "91ab")],
)
def test_an_id_is_meant_by_what_it_alone_begins_with(beginning: str, whole: str):
    assert keys.only(iter(IDS), beginning) == whole


def test_what_several_ids_begin_with_means_none():
    with pytest.raises(AmbiguousReference) as refusal:
        keys.only(IDS, "5f0c")

    assert refusal.value.message == "More than one id begins with 5f0c; use more of it."
    assert refusal.value.details == {"reference": "5f0c"}
