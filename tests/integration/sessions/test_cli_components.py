"""Components at the command line: one that is run there, and one whose next beat is awaited."""

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from components.core.messages import Result
from components.models import Component, Credential
from components.services import tool_uses
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.management import client
from streaming import hints
from tests import factories, threads

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

SOURCE = """
import json, os, pathlib

class Feed:
    async def serve(self):
        await note("served")

class Main:
    async def run(self):
        await note("ran")

class Left:
    async def serve(self):
        raise KeyboardInterrupt

def nothing():
    return 7

async def note(what="called"):
    said = {name: os.environ[name] for name in ("AEGIS_URL", "AEGIS_SESSION_TOKEN")}
    pathlib.Path("said").write_text(json.dumps({"what": what, **said}))

feed = Feed()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a program, beside a server that runs."""
    (tmp_path / "desk_program.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AEGIS_URL", raising=False)
    at = SimpleNamespace(at=SimpleNamespace(url="http://127.0.0.1:1"))
    monkeypatch.setattr(client, "running", lambda: at)
    factories.session_in(State.RUNNING, key="k")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "what"), [("Feed", "served"), ("feed", "served"), ("Main", "ran"), ("note", "called")]
)
def test_a_program_is_run_with_a_token_that_ends_with_it(aegis, place: Path, name, what: str):
    told = aegis("component", "run", f"desk_program:{name}", "--session", "k", "--json")

    said, kept = json.loads((place / "said").read_text()), Credential.objects.latest("created_at")
    assert told.document["data"] == {"program": f"desk_program:{name}", "session": "k"}
    assert (said["what"], said["AEGIS_URL"]) == (what, "http://127.0.0.1:1")
    assert kept.prefix in said["AEGIS_SESSION_TOKEN"]
    assert kept.revoked_at is not None


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("desk_program", 2),
        ("desk_program:none", 2),
        ("no_such_module:x", 2),
        ("desk_program:nothing", 2),
        ("desk_program:Left", 130),
    ],
)
def test_what_cannot_be_run_or_leaves_has_its_code(aegis, place: Path, program: str, code: int):
    told = aegis("component", "run", program, "--session", "k")

    assert (told.code, told.out) == (code, "")
    assert Credential.objects.latest("created_at").revoked_at is not None


def test_a_program_runs_for_another_server_with_a_token_of_it(far, place: Path):
    scopes = ("sessions:read", "sessions:control", "credentials:write", "credentials:read")
    told = far("component", "run", "desk_program:Feed", "--session", "k", scopes=scopes)

    said = json.loads((place / "said").read_text())
    kept = Credential.objects.get(prefix=said["AEGIS_SESSION_TOKEN"].split("_")[1])
    assert (told.code, said["AEGIS_URL"]) == (0, "https://aegis.example")
    assert kept.revoked_at is not None


@pytest.mark.django_db(transaction=True)
def test_the_next_beat_is_awaited(aegis):
    made = factories.session(key="k", expected=[Expected(name="prices")])
    part = factories.readied(made, "prices")
    soon = timezone.now() + timedelta(hours=1)

    def beat() -> None:
        Component.objects.filter(pk=part.pk).update(last_heartbeat_at=soon)

    with threads.beside(beat):
        heard = aegis("component", "ping", "k", "prices", "--timeout", "30")

    assert heard.code == 0
    assert heard.out.startswith("prices was heard of after ")


def test_who_is_silent_or_gone_has_its_code(aegis, far, monkeypatch):
    made = factories.session(key="k", expected=[Expected(name="prices")])
    words = ("component", "ping", "k", "prices", "--timeout", "0")
    scopes = ("sessions:read", "components:read")
    pending: Any = far(*words, scopes=scopes)
    part = factories.readied(made, "prices")
    silent: Any = far(*words, scopes=scopes)
    nobody: Any = far("component", "ping", "k", scopes=scopes)
    monkeypatch.delenv("AEGIS_SERVER")
    here = aegis(*words)
    part.state = "lost"
    part.save()
    lost = aegis(*words)

    assert [one.code for one in (pending, silent, nobody, here, lost)] == [11, 6, 2, 6, 11]


def answering(part: Component, *, times: int = 1, **said: Any) -> None:
    """Answer what is asked of a component, as often."""
    for _ in range(times):
        hints.wait_until(tool_uses.is_asked, timeout_seconds=20)
        for use in tool_uses.take(component_ids=[str(part.pk)]):
            result = Result(id=str(use.pk), **said)
            tool_uses.answer(result=result, component_id=str(part.pk))


@pytest.mark.django_db(transaction=True)
def test_who_is_asked_answers_with_its_time(aegis, far, monkeypatch):
    part = factories.readied(factories.session(key="k"), "prices")
    Component.objects.filter(pk=part.pk).update(proto={"v": 1})
    words = ("component", "ping", "k", "prices", "--timeout", "9")
    level = ("component", "log-level", "k", "prices", "debug")
    scopes = ("sessions:read", "components:read", "sessions:control")

    with threads.beside(lambda: answering(part, times=2)):
        pinged, leveled = far(*words, scopes=scopes), far(*level, scopes=scopes)
    monkeypatch.delenv("AEGIS_SERVER")
    with threads.beside(lambda: answering(part)):
        here = aegis(*words, "--json")
    with threads.beside(lambda: answering(part, error={"code": "X", "message": "no log"})):
        refused = aegis(*level)
    silent = aegis(*level, "--timeout", "0")

    assert pinged.out.startswith("prices answered after ")
    assert leveled.out.strip() == "prices logs DEBUG"
    assert json.loads(here.out)["meta"]["round_trip_ms"] >= 0
    assert [one.code for one in (pinged, leveled, here, refused, silent)] == [0, 0, 0, 11, 6]
    assert "prices says: no log" in refused.err
