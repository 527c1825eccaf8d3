import pytest

from aegis_project.kit.errors import NotAuthenticated, ValidationFailed
from components.core.errors import ConnectionLost, Refused
from components.core.messages import Proto
from components.sdk import errors, settings
from components.sdk.cursors import FileCursors, MemoryCursors
from components.sdk.settings import Settings
from streaming.core.errors import CloseCode, SlowConsumer, TokenInvalid
from streaming.core.position import Cursor

CURSOR = Cursor("00000000000000aa", 2, b"\x01" * 8, ((1, b"\x02" * 8),))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("AEGIS_URL", "AEGIS_SESSION_TOKEN", "AEGIS_COMPONENT_ID"):
        monkeypatch.delenv(name, raising=False)


def read(**given):
    return settings.read(**{"url": None, "token": "t", "component_id": None, **given})


@pytest.mark.parametrize(
    ("url", "control"),
    [
        ("http://host:1", "ws://host:1/ws/control"),
        ("https://host/", "wss://host/ws/control"),
        ("ws://host/ws/control", "ws://host/ws/control"),
        ("https://host/aegis", "wss://host/aegis/ws/control"),
    ],
)
def test_address_leads_to_the_control_socket(url, control):
    assert read(url=url).control_url == control


@pytest.mark.parametrize(
    ("told", "data"),
    [("/ws/data", "ws://host:1/ws/data"), ("wss://other/data", "wss://other/data")],
)
def test_data_socket_is_where_the_server_says(told, data):
    assert read(url="http://host:1").data_url(told) == data


def test_arguments_win_over_the_environment(monkeypatch):
    monkeypatch.setenv("AEGIS_URL", "http://environment:1")
    monkeypatch.setenv("AEGIS_SESSION_TOKEN", "environment")
    monkeypatch.setenv("AEGIS_COMPONENT_ID", "environment")

    from_environment = settings.read(url=None, token=None, component_id=None)
    from_arguments = read(url="http://argument:1", component_id="argument")

    assert from_environment == Settings(
        url="http://environment:1", token="environment", component_id="environment"
    )
    assert from_arguments == Settings(url="http://argument:1", token="t", component_id="argument")


def test_address_is_local_unless_told():
    assert read().url == "http://127.0.0.1:8000"


def test_missing_token_is_refused():
    with pytest.raises(NotAuthenticated):
        read(token=None)


@pytest.mark.parametrize("url", ["host:8000", "ftp://host", "http://"])
def test_wrong_address_is_refused(url):
    with pytest.raises(ValidationFailed):
        read(url=url)


def test_register_holds_what_was_given_and_nothing_empty():
    asked = read(name="sma", role="sink", proto=Proto(batch=False, window=3))

    assert asked.register("c1", ["a"]) == {
        "session_token": "t",
        "topics": ["a"],
        "name": "sma",
        "component_id": "c1",
        "role": "sink",
        "proto": {"v": 1, "batch": False, "window": 3},
    }
    assert read().register("", []) == {
        "session_token": "t",
        "topics": [],
        "proto": {"v": 1, "batch": True, "window": 0},
    }


# Errors


def test_codes_become_the_classes_that_the_server_raised():
    error = errors.told("TOKEN_INVALID", "No.", {"hint": 1})

    assert type(error) is TokenInvalid
    assert (error.message, error.details) == ("No.", {"hint": 1})


def test_code_of_a_newer_server_is_a_refusal_with_that_code():
    error = errors.told("NOVELTY", "New.")

    assert type(error) is Refused
    assert (error.message, error.details) == ("New.", {"code": "NOVELTY"})


def test_close_codes_become_classes():
    assert type(errors.closed(CloseCode.SLOW_CONSUMER)) is SlowConsumer
    assert type(errors.closed(1006)) is ConnectionLost
    assert type(errors.closed(None)) is ConnectionLost


# Cursors


def test_memory_keeps_what_was_saved():
    store = MemoryCursors()

    store.save({"a": CURSOR})
    store.save({"b": CURSOR})

    assert store.load() == {"a": CURSOR, "b": CURSOR}


def test_file_keeps_what_was_saved_over_lives(tmp_path):
    path = tmp_path / "cursors.json"
    nothing = FileCursors(path).load()

    FileCursors(path).save({"a": CURSOR})
    FileCursors(path).save({"b": CURSOR})

    assert nothing == {}
    assert FileCursors(path).load() == {"a": CURSOR, "b": CURSOR}
    assert [each.name for each in tmp_path.iterdir()] == ["cursors.json"]


def test_file_of_another_form_is_refused(tmp_path):
    path = tmp_path / "cursors.json"
    path.write_text('{"a": {"seq": 1}}')

    with pytest.raises(ValidationFailed):
        FileCursors(path).load()
