import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import tags


@pytest.mark.parametrize(
    ("said", "kept"),
    [("  Needs   Review ", "needs-review"), ("WORK", "work"), ("größe", "größe"), ("a" * 50, "a" * 50)],
)  # fmt: skip
def test_names_are_written_one_way(said, kept):
    assert tags.normal(said) == kept


@pytest.mark.parametrize(
    "said", ["", "  ", "a" * 51, "a,b", "a/b", "a\x00b", "a\u202eb", "Popular"]
)
def test_names_that_cannot_be_are_refused(said):
    with pytest.raises(ValidationFailed):
        tags.normal(said)


def test_the_six_of_the_system_have_their_colours():
    assert tags.SYSTEM == {
        "important": "#f44336",
        "work": "#2196f3",
        "personal": "#4caf50",
        "project": "#ff9800",
        "learning": "#9c27b0",
        "archived": "#9e9e9e",
    }
    assert len(set(tags.PALETTE)) == 16


def test_a_colour_is_given_or_always_the_same_of_the_palette():
    assert tags.colour("#ABCDEF", name="x") == "#abcdef"
    assert tags.colour("", name="x") == tags.colour("", name="x")
    assert tags.colour("", name="x") in tags.PALETTE
    with pytest.raises(ValidationFailed):
        tags.colour("red", name="x")


def test_a_session_has_each_tag_once_and_so_many():
    assert tags.joined(["b"], ["a", "b", "a"]) == ["b", "a"]
    with pytest.raises(ValidationFailed):
        tags.joined([str(number) for number in range(20)], ["one-more"])


def test_tags_suit_a_text_that_speaks_of_them():
    known = [("work", ""), ("needs-review", "to be looked at"), ("home", "family and friends")]

    assert tags.suited("Please REVIEW this", known) == ["needs-review"]
    assert tags.suited("my family, at work", known) == ["work", "home"]
    assert tags.suited("nothing of it", known) == ["work", "needs-review", "home"]
    assert tags.suited("x", [(str(number), "") for number in range(9)]) == ["0", "1", "2", "3", "4"]
