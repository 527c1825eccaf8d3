"""Runs, messages and credentials at a server that was named."""

from pathlib import Path
from typing import Any

import pytest

from components.models import Credential
from sessions.core.lifecycle import State
from sessions.core.runs import State as RunState
from sessions.core.runs import Waiting
from sessions.management import far_messages
from sessions.models import Attachment, Message, Run
from tests import asking, factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

RUNS = ("sessions:read", "runs:read", "runs:write", "agents:read", "sessions:control")
MESSAGES = ("sessions:read", "messages:read", "messages:write", "runs:read", "runs:write")
CREDENTIALS = ("credentials:read", "credentials:write", "sessions:read")


def test_runs_are_started_shown_and_cancelled_there(far):
    asking.agent()
    factories.session_in(State.RUNNING, key="k")

    made = far("runs", "start", "k", "--agent", "trader", "--json", scopes=RUNS).document["data"]
    listed = far("runs", "list", "--session", "k", "--state", "queued", "-q", scopes=RUNS)
    every = far("runs", "list", "--limit", "1", scopes=RUNS).out
    limited = far("runs", "limits", made["id"], "--max-tokens", "7", "--json", scopes=RUNS)
    shown = far("runs", "show", made["id"], scopes=RUNS)
    gone = far("runs", "cancel", made["id"], "--reason", "no", "--json", scopes=RUNS)
    refused = far("runs", "cancel", made["id"])

    assert (listed.out, limited.document["data"]["limits"]["max_tokens"]) == (f"{made['id']}\n", 7)
    assert "trader" in every
    assert shown.out.splitlines()[1].split()[:3] == [made["id"], "trader", "queued"]
    assert gone.document["data"]["state"] == "cancelled"
    assert refused.code == 4


def test_something_is_said_edited_and_chosen_there(far):
    factories.session_in(State.RUNNING, key="k")

    first = far("message", "say", "k", "hello", "--no-answer", "--json", scopes=MESSAGES)
    said = first.document["data"]
    other = far("message", "edit", "k", said["id"], "hi", scopes=MESSAGES)
    far("message", "choose", "k", said["id"], scopes=MESSAGES)
    listed = far("message", "list", "k", "--limit", "1", "--json", scopes=MESSAGES).document
    table = far("message", "list", "k", "--before", "9", scopes=MESSAGES).out

    assert other.out.endswith(": hi\n")
    assert [one["content"] for one in listed["data"]] == ["hello"]
    assert table.splitlines()[1].split()[-1] == "hello"


def test_files_are_brought_and_given_with_a_message_there(far, tmp_path: Path):
    factories.session_in(State.RUNNING, key="k")
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"In {name}.")
    words = ("message", "say", "k", "look", "--no-answer", "--json")

    files = ("--attach", str(tmp_path / "a.txt"), "--attach", str(tmp_path / "b.txt"))
    told = far(*words, *files, scopes=MESSAGES).document["data"]
    missing = far(*words, "--attach", str(tmp_path / "c.txt"), scopes=MESSAGES)

    rows = Attachment.objects.order_by("filename")
    assert [(row.filename, str(row.message_id)) for row in rows] == [
        ("a.txt", told["id"]),
        ("b.txt", told["id"]),
    ]
    assert (missing.code, Message.objects.count()) == (2, 1)


def test_many_messages_are_read_page_by_page(far, monkeypatch):
    factories.session_in(State.RUNNING, key="k")
    for text in ("a", "b", "c"):
        far("message", "say", "k", text, "--no-answer", scopes=MESSAGES)
    monkeypatch.setattr(far_messages, "PAGE", 1)

    listed = far("message", "list", "k", "--limit", "2", "--json", scopes=MESSAGES).document

    assert [one["content"] for one in listed["data"]] == ["b", "c"]
    assert listed["meta"]["has_more"] is True


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"waiting_for": Waiting.APPROVAL, "state": RunState.WAITING}, 10, "waits for approval"),
        ({"state": RunState.FAILED, "error": {"code": "NO", "message": "no"}}, 0, "NO: no"),
        ({}, 0, "There is no answer within 0.01 s"),
    ],
)
def test_an_answer_is_waited_for_there(far, monkeypatch, change: dict[str, Any], code, said: str):
    asking.agent()
    factories.session_in(State.RUNNING, key="k")
    read = far_messages._rested

    def rested(*given: Any) -> Any:
        Run.objects.update(**change)
        return read(*given)

    monkeypatch.setattr(far_messages, "_rested", rested)

    words = ("message", "say", "k", "hello", "--agent", "trader", "--wait", "0.01")
    told = far(*words, scopes=MESSAGES)

    assert (told.code, said in told.err) == (code, True)


def test_credentials_are_issued_rotated_and_revoked_there(far):
    words = ("credential", "issue", "dash", "--scope", "sessions:read", "--days", "1", "--json")
    issued = far(*words, scopes=CREDENTIALS).document["data"]
    prefix = issued["credential"]["prefix"]
    listed = far("credential", "list", "--usable", scopes=CREDENTIALS).out
    turned = far("credential", "rotate", prefix, "--overlap", "1", scopes=CREDENTIALS)
    both = far("credential", "revoke", prefix, "none", "--yes", "--json", scopes=CREDENTIALS)
    unsure = far("credential", "revoke", prefix, scopes=CREDENTIALS)

    assert "dash" in listed
    assert turned.out.startswith("aeg_")
    assert [one["prefix"] for one in both.document["data"]] == [prefix]
    assert (both.code, unsure.code) == (7, 2)
    assert Credential.objects.get(prefix=prefix).revoked_at is not None
