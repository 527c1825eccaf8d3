"""`aegis command`: envelopes of seed 000, here and at another server."""

import json
from pathlib import Path

import pytest

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from streaming.models import AuditEntry
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]
SCOPES = ("sessions:control", "sessions:read", "sessions:write")


@pytest.fixture(params=["aegis", "far"])
def run(request: pytest.FixtureRequest):
    """The command line here, and at another server."""
    found = request.getfixturevalue(request.param)
    if request.param == "aegis":
        return found
    return lambda *words, scopes=SCOPES: found(*words, scopes=scopes)


def test_an_envelope_is_answered_by_one(run):
    made = run("command", "session_create", "--data", '{"name": "demo"}', "--request-id", "r")

    answer = json.loads(made.out)
    assert (made.code, answer["request_id"], answer["status"]) == (0, "r", "ok")
    assert answer["command"] == "SESSION_CREATE"
    assert Session.objects.get().name == "demo"
    assert AuditEntry.objects.filter(command="session.create", outcome="ok").count() == 1


def test_what_is_asked_may_stand_in_a_file(run, tmp_path: Path):
    row = factories.session(key="k", expected=[Expected(name="feed", required=False)])
    (tmp_path / "asked").write_text('{"session_id": "k"}')

    told = run("command", "SESSION_START", "--data", f"@{tmp_path / 'asked'}", "--json").document

    row.refresh_from_db()
    assert row.state == State.RUNNING
    assert (told["schema"], told["data"]["status"]) == ("aegis.command/1", "ok")


def test_a_refusal_is_an_answer_and_a_code(run):
    factories.session_in(State.ENDED, key="over")
    missing = run("command", "SESSION_STATE", "--data", '{"session_id": "nowhere"}', "--json")
    unknown = run("command", "SESSION_TELEPORT", "-q")
    refused = run("command", "SESSION_START", "--data", '{"session_id": "over"}')
    no_object = run("command", "SESSION_LIST", "--data", "[]")
    too_long = run("command", "X" * 65)

    assert missing.document["data"]["status"] == "error"
    assert missing.err.splitlines()[0].startswith("error: SESSION_NOT_FOUND: ")
    assert (unknown.out, unknown.err.splitlines()[0]) == (
        "error\n",
        "error: VALIDATION_ERROR: Unknown command: SESSION_TELEPORT",
    )
    assert json.loads(refused.out)["message"].startswith("Could not start session: ")
    codes = [one.code for one in (missing, unknown, refused, no_object, too_long)]
    assert codes == [3, 2, 5, 2, 2]


def test_who_may_not_is_told_so(far):
    told = far("command", "SESSION_LIST", scopes=("topics:read",))

    assert (told.code, json.loads(told.out)["status"]) == (4, "error")


def test_nobody_is_told_so(aegis, far, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AEGIS_TOKEN", "aeg_wrong")

    told = aegis("command", "SESSION_LIST")

    assert (told.code, told.out) == (4, "")
