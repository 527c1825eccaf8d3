"""What a load test refuses, and what it tells; a server takes part in the tests beside."""

from types import SimpleNamespace
from typing import Any

import pytest

from sessions.management import client, load
from sessions.management.load import Measured
from sessions.models import Session

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The tokens that the load was given; two of its records came."""
    given: list[Any] = []

    def run(_url: str, tokens: Any, _load: Any) -> Measured:
        given.extend(tokens)
        return Measured(sent=5, lags=[0.25, 0.5])

    at = SimpleNamespace(at=SimpleNamespace(url="http://127.0.0.1:1"))
    monkeypatch.setattr(client, "running", lambda: at)
    monkeypatch.setattr(load, "run", run)
    return given


def test_what_was_missed_is_told_and_the_sessions_are_gone(aegis, tokens: list[Any]):
    small = ("--sessions", "2", "--components", "2", "--rate", "1", "--duration", "5")
    told = aegis("load-test", *small, "--slo", "missing=0", "--slo", "lag_max=1s", "--json")
    lines = aegis("load-test", *small).out.splitlines()

    found = told.document["data"]
    assert (told.code, found["missed"]) == (9, ["missing"])
    assert (found["delivered"], found["missing"], found["lag_p50"]) == (2, 8, 0.25)
    assert "lag_max    500.0 ms" in lines
    assert len(tokens) == 4
    assert not Session.objects.present().exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--slo", "fast"), "is no limit such as"),
        (("--sessions", "200", "--rate", "1000", "--duration", "600"), "are too many"),
    ],
)
def test_what_is_too_much_is_refused(aegis, tokens: list[Any], words: tuple[str, ...], said: str):
    told = aegis("load-test", *words)

    assert (told.code, said in told.err, tokens) == (2, True, [])


def test_a_server_elsewhere_has_to_be_meant(far, tokens: list[Any]):
    scopes = ("sessions:read", "sessions:write", "sessions:control")
    refused = far("load-test", scopes=scopes)
    meant = far("load-test", "--anywhere", "--sessions", "1", scopes=scopes)

    assert (refused.code, "say --anywhere" in refused.err) == (2, True)
    assert (meant.code, len(tokens)) == (0, 1)
    assert not Session.objects.present().exists()
