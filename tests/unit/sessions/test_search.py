import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import search
from sessions.core.search import Query, Snippet


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Price  GAP price", Query("price gap price", ("price", "gap"))),
        ("incid*", Query("incid", ("incid",), is_open=True)),
        ("a_b c-d", Query("a_b c-d", ("a", "b", "c", "d"))),
    ],
)
def test_a_text_is_read_as_words(text, query):
    assert search.parse(text) == query


@pytest.mark.parametrize("text", ["", " ", "!?", "x" * 201, "a b c d e f g h i j k"])
def test_a_text_that_searches_for_nothing_is_refused(text):
    with pytest.raises(ValidationFailed):
        search.parse(text)


@pytest.mark.parametrize(
    ("text", "content", "score"),
    [
        ("price gap", "The Price  gap. A price gap!", 1.2),
        ("price gap", "the gap of a price", 1.0),
        ("price gap", "the gap", 0.5),
        ("price gap", "nothing", 0.0),
        ("gap", "gap " * 50, 2.0),
        ("big pri*", "prices that are big", 1.0),
        ("big pri*", "big ones", 0.5),
        ("gap", "x" * search.JUDGED + " gap", 0.0),
    ],
)
def test_the_whole_text_goes_before_its_words(text, content, score):
    assert search.score(search.parse(text), content) == score


def test_snippets_show_what_was_found_and_a_little_around_it():
    query = search.parse("gap")

    [only] = search.snippets(query, f"{'a' * 100} gap {'b' * 100}")
    near = search.snippets(query, "a gap and a Gap")

    assert only == Snippet(f"{'a' * 49} gap {'b' * 49}", [(50, 53)])
    assert near == [Snippet("a gap and a Gap", [(2, 5), (12, 15)])]
    assert search.snippets(query, "nothing") == []


def test_at_most_three_snippets_that_do_not_overlap():
    found = search.snippets(search.parse("gap"), ("gap " + "x" * 200 + " ") * 5)

    assert len(found) == 3
    assert [one.marks for one in found] == [[(0, 3)], [(50, 53)], [(50, 53)]]


def test_an_open_word_marks_all_that_go_on_with_it():
    assert search.snippets(search.parse("big pri*"), "Prices, big") == [
        Snippet("Prices, big", [(0, 6), (8, 11)])
    ]


def test_suggestions_are_words_that_there_are():
    known = ["The incident at noon", "an accident", "or"]

    assert search.suggested(search.parse("incidnt"), known) == ["incident"]
    assert search.suggested(search.parse("incident"), known) == ["accident"]
    assert search.suggested(search.parse("zzz"), known) == []
