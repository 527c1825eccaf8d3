import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import catalogue, references
from sessions.core.catalogue import AgentDraft, ProviderDraft

WHOLE = {name: getattr(AgentDraft("a", "A"), name) for name in AgentDraft.__dataclass_fields__}


def test_what_an_agent_and_a_provider_may_say():
    settings = {
        "temperature": 0.2,
        "thinking": "low",
        "script": [{"text": "a"}],
        "http_hosts": ["*.example.com"],
        "topics": ["prices.**"],
    }

    catalogue.check_agent(
        {**WHOLE, "model": "openai:gpt-5", "settings": settings, "tools": ["memory_*"]}
    )
    catalogue.check_provider(
        {"slug": "own", "kind": "azure", "base_url": "https://a.example/v1", "api_version": "1"}
    )
    catalogue.check_provider({"slug": "openai", "base_url": "", "secret": "sk-1", "other": 1})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "two words"),
        ("slug", ""),
        ("name", " "),
        ("name", "x" * 201),
        ("instructions", "a\x00"),
        ("model", "nonsense"),
        ("visibility", "secret"),
        ("settings", {"extra_headers": {}}),
        ("settings", {"temperature": 9}),
        ("limits", {"max_steps": -1}),
        ("tools", [""]),
        ("tools", ["x"] * 201),
        ("input_modes", ["text"]),
        ("output_modes", ["a/b", "c"]),
    ],
)
def test_what_an_agent_cannot_say(field, value):
    with pytest.raises(ValidationFailed):
        catalogue.check_agent({field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "scripted"),
        ("slug", "default"),
        ("slug", "Big"),
        ("kind", "other"),
        ("base_url", "ftp://a.example"),
        ("base_url", "https://"),
        ("base_url", "https://user:word@a.example"),
        ("base_url", "https://a.example?key=1"),
        ("base_url", "https://[a"),
        ("base_url", "https://a b.example"),
        ("api_version", "a b"),
        ("secret", "two\nlines"),
    ],
)
def test_what_a_provider_cannot_say(field, value):
    with pytest.raises(ValidationFailed) as caught:
        catalogue.check_provider({field: value})

    assert caught.value.details == {"field": field}


def test_the_model_of_the_installation_needs_no_name():
    catalogue.check_agent({"model": references.DEFAULT})


def test_settings_are_told_apart_from_what_else_a_run_brings():
    given = {"temperature": 0.5, "prompt": "Go on.", "attempt": 2}

    assert catalogue.settings(given) == {"temperature": 0.5}
    with pytest.raises(ValidationFailed):
        catalogue.settings({"seed": "x"})


def test_the_key_of_a_draft_is_not_in_its_text():
    assert "sk-1" not in repr(ProviderDraft("own", secret="sk-1"))
