import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import saved_views


def test_what_a_list_knows_is_kept_in_one_order():
    asked = "q=btc&state=running%2Cpaused&p=3&_facets=True&o=-2&secret=1"

    assert saved_views.kept("sessions", asked) == "o=-2&q=btc&state=running%2Cpaused"
    assert saved_views.kept("audit", asked) == "o=-2&q=btc"
    assert saved_views.kept("sessions", "state=running,paused&o=-2&q=btc") == saved_views.kept(
        "sessions", asked
    )


def test_a_list_as_it_is_is_a_view_too():
    assert saved_views.kept("sessions", "p=2") == ""


@pytest.mark.parametrize(
    ("of", "query"), [("users", "q=a"), ("audit", f"q={'a' * 1000}"), ("audit", "q=%00")]
)
def test_what_cannot_be_kept_is_refused(of, query):
    with pytest.raises(ValidationFailed):
        saved_views.kept(of, query)


def test_a_name_is_trimmed():
    assert saved_views.name("  my   views ") == "my views"


@pytest.mark.parametrize("given", ["", "  ", "a" * 41, "a\x00b"])
def test_what_is_no_name_is_refused(given):
    with pytest.raises(ValidationFailed, match="1 to 40 printable"):
        saved_views.name(given)
