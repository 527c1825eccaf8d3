import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import tool_servers
from sessions.core.tool_servers import ToolServerDraft


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"slug": "far_1", "url": "https://tools.example/mcp", "secret": {"X-Key": "a b", "Y": ""}},
        {"command": ["python", "-m", "server"], "secret": {"API_KEY": "x"}, "is_active": True},
        {"url": "", "command": [], "secret": {}},
    ],
)
def test_what_a_tool_server_can_be(values):
    tool_servers.check(values)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "Big"),
        ("slug", "a.b"),
        ("url", "ftp://a.example"),
        ("url", "https://user:word@a.example"),
        ("command", [""]),
        ("command", ["a\x00"]),
        ("command", ["a"] * 65),
        ("secret", {"two words": "x"}),
        ("secret", {"X": "two\nlines"}),
        ("secret", {"X": "ü"}),
        ("secret", {"X": "x" * 4097}),
        ("secret", {f"X{number}": "" for number in range(33)}),
    ],
)
def test_what_a_tool_server_cannot_be(field, value):
    with pytest.raises(ValidationFailed) as caught:
        tool_servers.check({field: value})

    assert caught.value.details == {"field": field}


def test_it_is_reached_in_one_way():
    tool_servers.check_way(url="https://a.example", command=[])
    tool_servers.check_way(url="", command=["program"])

    for url, command in (("", []), ("https://a.example", ["program"])):
        with pytest.raises(ValidationFailed, match="a url or a command"):
            tool_servers.check_way(url=url, command=command)


def test_the_secret_of_a_draft_is_not_in_its_text():
    assert "sk-1" not in repr(ToolServerDraft("own", secret={"key": "sk-1"}))
