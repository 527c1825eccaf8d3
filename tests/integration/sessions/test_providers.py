import pytest
from pydantic import SecretStr, ValidationError

from aegis_project import sealed
from aegis_project.env import Environment
from aegis_project.kit.errors import SecretUnreadable
from aegis_project.model_keys import ModelKeys
from sessions.agent import llm
from sessions.core.errors import LLMError
from sessions.models import Provider
from sessions.selectors import providers
from sessions.selectors.providers import Access

pytestmark = pytest.mark.django_db

KEY = "sk-of-the-environment"


@pytest.fixture
def keys(settings) -> ModelKeys:
    """An environment with a key of OpenAI and a deployment of Azure."""
    found = ModelKeys(
        openai_api_key=SecretStr(KEY),
        openai_base_url="",
        azure_openai_api_key=SecretStr("azure"),
        azure_openai_endpoint="https://mine.example",
        azure_openai_api_version="1",
        anthropic_api_key=SecretStr(""),
    )
    settings.MODEL_KEYS = found
    return found


def test_a_kind_is_reached_with_the_key_of_the_environment(keys):
    assert providers.access("openai") == Access(provider="openai", kind="openai", key=KEY)
    assert providers.access("azure") == Access(
        provider="azure",
        kind="azure",
        base_url="https://mine.example",
        api_version="1",
        key="azure",
    )


def test_a_provider_is_reached_with_its_own_key(keys):
    secret = sealed.seal("sk-own")
    Provider.objects.create(slug="own", base_url="https://own.example/v1", secret=secret)

    found = providers.access("own")

    assert (found.base_url, found.key) == ("https://own.example/v1", "sk-own")
    assert "sk-own" not in repr(found)


def test_the_key_of_the_environment_is_shown_to_no_other_address(keys):
    Provider.objects.create(slug="other", base_url="https://other.example/v1")
    Provider.objects.create(slug="same")

    assert providers.access("other").key == ""
    assert providers.access("same").key == KEY


def test_the_row_of_a_kind_goes_before_the_environment(keys):
    Provider.objects.create(slug="openai", secret=sealed.seal("sk-row"))

    assert providers.access("openai").key == "sk-row"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("anthropic", "There is no key for anthropic: set ANTHROPIC_API_KEY."),
        ("nowhere", "There is no provider nowhere."),
        ("bare", "There is no key for bare: give the provider a key and an address."),
    ],
)
def test_who_cannot_be_reached_says_what_is_missing(keys, settings, name, message):
    settings.MODEL_KEYS = keys.model_copy(update={"openai_api_key": SecretStr("")})
    Provider.objects.create(slug="bare")

    with pytest.raises(LLMError) as caught:
        providers.access(name)

    assert caught.value.message == message


def test_a_key_sealed_elsewhere_is_not_read(keys, settings):
    Provider.objects.create(slug="own", secret=sealed.seal("sk-own"))
    settings.SECRET_KEY = "another"

    with pytest.raises(SecretUnreadable):
        providers.access("own")


@pytest.mark.parametrize(
    ("named", "model"),
    [
        ("", "scripted:assistant"),
        ("scripted:echo", "scripted:echo"),
        ("openai:gpt-x", "openai:gpt-x"),
        ("anthropic:claude", "scripted:assistant"),
        ("nowhere:x", "scripted:assistant"),
    ],
)
def test_the_default_is_what_the_settings_name_if_it_has_a_key(keys, settings, named, model):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"model": named})

    assert llm.service("default").model == model


@pytest.mark.parametrize("named", ["gpt-5", ":gpt-5", "openai:"])
def test_a_setting_that_names_no_provider_stops_the_server(monkeypatch, named):
    monkeypatch.setenv("AEGIS_MODEL", named)

    with pytest.raises(ValidationError, match="must be PROVIDER:MODEL"):
        Environment()


def test_the_keys_of_the_environment_are_read_under_their_own_names(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.example")

    found = ModelKeys()

    assert found.openai_api_key.get_secret_value() == KEY
    assert found.azure_openai_endpoint == "https://mine.example"
    assert KEY not in repr(found)
