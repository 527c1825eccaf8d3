import pytest

from aegis_project.kit.errors import ValidationFailed
from components.core import programs


@pytest.mark.parametrize(
    "values",
    [
        {"name": "feed-1.x_y", "argv": ["python", ""], "environment": {}, "directory": ""},
        {"argv": ("x",), "environment": {"_A1": "é\n"}, "directory": "/srv"},
        {"restart_limit": 0, "stop_grace_seconds": 300, "restart": "never"},
    ],
)
def test_sound_fields_pass(values):
    programs.check(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", "-x"),
        ("name", "a b"),
        ("name", "x" * 101),
        ("argv", []),
        ("argv", [""]),
        ("argv", ["x", "\x00"]),
        ("argv", ["x"] * 101),
        ("argv", ["x" * 4097]),
        ("environment", {"1": "x"}),
        ("environment", {"A=B": "x"}),
        ("environment", {"A": "\x00"}),
        ("environment", {f"A{n}": "" for n in range(101)}),
        ("environment", {"AEGIS_URL": "http://elsewhere"}),
        ("environment", {"aegis_url": "http://elsewhere"}),
        ("directory", "relative"),
        ("directory", "/\x00"),
        ("restart_limit", -1),
        ("backoff_seconds", 0),
        ("backoff_most_seconds", 86_401),
        ("settled_seconds", float("nan")),
        ("stop_grace_seconds", 301),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(name, value):
    with pytest.raises(ValidationFailed) as refused:
        programs.check({name: value})

    assert refused.value.details == {"field": name}
