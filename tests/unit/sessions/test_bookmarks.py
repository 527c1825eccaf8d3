import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import bookmarks


def test_a_bookmark_without_a_colour_has_the_first():
    assert bookmarks.colour("") == "#f44336"
    assert bookmarks.colour("#ABCDEF") == "#abcdef"


@pytest.mark.parametrize("wrong", ["red", "#12345", "#12345g", " #123456"])
def test_what_is_no_colour_is_refused(wrong):
    with pytest.raises(ValidationFailed):
        bookmarks.colour(wrong)


def test_a_bookmark_says_so_much_and_no_more():
    bookmarks.check(name="x" * 200, note="x" * 2000)

    for said in (
        {"name": "x" * 201, "note": ""},
        {"name": "", "note": "x" * 2001},
        {"name": "\x00", "note": ""},
    ):
        with pytest.raises(ValidationFailed):
            bookmarks.check(**said)
