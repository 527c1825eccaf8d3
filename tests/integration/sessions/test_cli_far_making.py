"""Sessions that are made, and what is set up, at a server that was named."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from sessions.core.lifecycle import State
from sessions.models import Budget, Policy
from tests import asking, factories
from tests.integration.access.test_commands import VERBS

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

MAKING = ("sessions:read", "sessions:write", "sessions:control", "components:read")


def test_a_session_is_made_started_and_awaited_there(far):
    made = far("session", "create", "Desk", "--key", "desk", "--tag", "incident", "--token",
               "--context", '{"symbol": "BTC"}', "--start", "--wait", "running", "--json",
               scopes=MAKING)  # fmt: skip
    assert made.code == 0, made.err
    made = made.document["data"]
    plain = far("session", "create", "--key", "plain", scopes=MAKING)
    taken = far("session", "create", "--key", "plain", scopes=MAKING)
    both = far("session", "create", "--template", "market-stream", "--kind", "chat", scopes=MAKING)
    refused = far("session", "create")

    assert (made["state"], made["kind"], made["tags"]) == ("running", "stream", ["incident"])
    assert made["context"] == {"symbol": "BTC"}
    assert made["session_token"].startswith("aeg_")
    assert plain.out == "○ created  plain\n"
    assert (taken.code, both.code, refused.code) == (5, 2, 4)


def test_components_are_attached_there(far):
    session = factories.session(key="k")

    told = far("session", "attach", "k", "prices:feed", "--no-required", "--topic", "klines.*",
               "--json", scopes=MAKING)  # fmt: skip
    secret = far("session", "attach", "k", "other", scopes=MAKING).out

    part = session.components.get(name="prices")
    assert (part.role, part.required, part.topics) == ("feed", False, ["klines.*"])
    assert told.document["data"]["session_token"].startswith("aeg_")
    assert secret.startswith("aeg_")


def test_a_session_is_restarted_there(far):
    factories.session_in(State.RUNNING, key="k")

    planned = far("session", "restart", "k", "--dry-run", "--json", scopes=MAKING)
    done = far("session", "restart", "k", "--reason", "Mended.", "--json", scopes=MAKING)
    missing = far("session", "clock", "k", scopes=MAKING)

    assert [one["would"] for one in planned.document["data"]] == ["restart"]
    assert done.document["data"][0]["state"] == "running"
    assert missing.code == 5


@pytest.fixture
def desk() -> Policy:
    """A policy of everybody, one rule that lets by."""
    return Policy.objects.create(slug="desk", rules=[{"tools": ["a"], "verdict": "allow"}])


def test_policies_are_listed_shown_and_tried_there(aegis, far, monkeypatch, desk: Policy):
    rights = ("policies:read",)
    words = (["policy", "list"], ["policy", "show", "desk"], ["policy", "list", "--json"],
             ["policy", "test", "a", "--policy", "desk"])  # fmt: skip

    there = [far(*one, scopes=rights).out for one in words]
    wrong = far("policy", "test", "a", "--arguments", "[]", scopes=rights)
    monkeypatch.delenv("AEGIS_SERVER")
    here = [aegis(*one).out for one in words]

    assert there == here
    assert wrong.code == 2


def test_a_rule_made_from_a_decision_is_listed_and_taken_back_there(far):
    approval = asking.approval(asking.run(factories.session_in(State.RUNNING, key="k")))
    scopes = ("approvals:read", "approvals:decide", "sessions:read", "policies:read",
              "policies:write")  # fmt: skip
    far("approval", "approve", str(approval.pk), "--remember", "session", scopes=scopes)

    ids = far("policy", "grants", "-q", scopes=scopes).out.split()
    table = far("policy", "grants", scopes=scopes).out
    gone = far("policy", "revoke", ids[0][:8], "--json", scopes=scopes).document["data"]

    assert "session " in table
    assert (gone["id"], gone["revoked_at"] is not None) == (ids[0], True)
    assert far("policy", "grants", "-q", scopes=scopes).out == ""


def test_quotas_and_budgets_are_those_of_here(aegis, far, monkeypatch):
    factories.team("default")
    Budget.objects.create(team=factories.team("default"), period="day", max_tokens=5, max_cost=2)
    words = (["budget", "list"], ["budget", "list", "--json"], ["quota", "list"])

    there = [far(*one).out for one in words]
    refused = far("budget", "set", "--team", "default", "--tokens", "7")
    unknown = far("budget", "remove", "0", "--dry-run")
    monkeypatch.delenv("AEGIS_SERVER")

    assert there == [aegis(*one).out for one in words]
    assert (refused.code, unknown.code) == (4, 3)


@pytest.mark.django_db(transaction=True)
def test_a_conversation_is_written_from_there(far, tmp_path: Path):
    factories.session_in(State.RUNNING, key="k")
    scopes = ("sessions:read", "messages:read", "messages:write", "runs:read")
    far("message", "say", "k", "Hello", "--no-answer", scopes=scopes)
    file = tmp_path / "k.md"

    far("message", "export", "k", "-o", str(file), scopes=scopes)
    printed: Any = far("message", "export", "k", "--format", "json", scopes=scopes).document
    nowhere = far("message", "export", "k", "-o", str(tmp_path), scopes=scopes)

    assert "Hello" in file.read_text()
    assert [one["content"] for one in printed["messages"]] == ["Hello"]
    assert nowhere.code == 2


ALONE = re.compile(r"^\| `([a-z -]+)` \| [^|]+ \|$", re.MULTILINE)
PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_the_page_says_which_verbs_work_here_alone():
    table = PAGE.read_text().partition("| Here alone | Why |")[2].partition("\n\n")[0]
    here = {
        name.replace(".", " ")
        for name, function in VERBS.items()
        if "far_server" not in inspect.signature(function).parameters
    }

    assert set(ALONE.findall(table)) == here
