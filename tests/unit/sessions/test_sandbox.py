import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import sandbox


@pytest.mark.parametrize(
    "name", ["a", "report.md", "a/b/c.csv", ".hidden", "Größe 1.txt", "日本.txt", "x" * 255]
)
def test_a_name_of_the_sandbox_is_taken(name):
    assert sandbox.name(name) == name


def test_names_that_look_the_same_are_the_same():
    assert sandbox.name("o\u0308.txt") == "\u00f6.txt"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../../b",
        "a/./b",
        "a//b",
        "a/",
        "..",
        "a.",
        " a",
        "a ",
        "a/ b",
        "C" + ":\\x",
        "C:x",
        "a\\b",
        "a\x00b",
        "a\nb",
        "a\u202eb",
        "a\ud800",
        "what?",
        "x" * 256,
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(ValidationFailed):
        sandbox.name(name)
