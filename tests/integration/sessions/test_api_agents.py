import json

import pytest

from aegis_project import sealed
from components.core.scopes import OPEN_SCOPES, SCOPES
from sessions.models import Agent, Provider
from streaming.models import AuditEntry
from tests.calling import Caller, caller
from tests.calling import code as status_and_code

pytestmark = pytest.mark.django_db

AGENTS = "/api/v1/agents"
PROVIDERS = "/api/v1/providers"
ORDER = {
    "slug": "analyst",
    "name": "Analyst",
    "model": "scripted:echo",
    "skills": [{"id": "say", "name": "Say", "tags": ["chat"]}],
    "tools": ["memory_*"],
    "limits": {"max_steps": 5},
    "settings": {"temperature": 0.5},
    "policy": "auto",
}
KEY = "sk-secret-of-a-provider"


def code(answer) -> str:
    return status_and_code(answer)[1]


@pytest.fixture
def maker() -> Caller:
    return caller()


def test_an_agent_is_made_read_changed_and_removed(maker: Caller):
    made = maker.post(AGENTS, ORDER)
    read = maker.get(f"{AGENTS}/analyst")
    changed = maker.patch(
        f"{AGENTS}/analyst",
        {"instructions": "Be brief.", "policy": "", "skills": []},
        if_match=read["ETag"],
    )
    stale = maker.patch(f"{AGENTS}/analyst", {"name": "Other"}, if_match=read["ETag"])
    removed = maker.delete(f"{AGENTS}/analyst")

    assert (made.status_code, made["Location"], made["ETag"]) == (201, f"{AGENTS}/analyst", '"1"')
    document = made.json()
    assert {name: document[name] for name in ORDER} == {
        **ORDER,
        "skills": [
            {"id": "say", "name": "Say", "description": "", "tags": ["chat"], "examples": []}
        ],
    }
    assert (document["team"], document["visibility"], document["is_active"]) == (
        "default",
        "public",
        True,
    )
    assert read.json() == document
    assert changed["ETag"] == '"2"'
    assert changed.json() == document | {
        "instructions": "Be brief.",
        "policy": None,
        "skills": [],
        "version": 2,
        "updated_at": changed.json()["updated_at"],
    }
    assert status_and_code(stale) == (412, "PRECONDITION_FAILED")
    assert removed.status_code == 204
    assert status_and_code(maker.get(f"{AGENTS}/analyst")) == (404, "AGENT_NOT_FOUND")
    told = AuditEntry.objects.filter(target="analyst").order_by("pk")
    assert list(told.values_list("command", flat=True)) == [
        "agent.create",
        "agent.update",
        "agent.remove",
    ]


def test_the_catalogue_has_the_assistant_and_its_card(maker: Caller):
    [listed] = maker.get(f"{AGENTS}?fields=slug,model,team").json()["data"]
    card = maker.get(f"{AGENTS}/assistant/card")

    assert listed == {"slug": "assistant", "model": "default", "team": None}
    assert card.json() == {
        "slug": "assistant",
        "name": "Assistant",
        "description": "Answers questions and remembers what was said in its session.",
        "version": "1",
        "skills": [
            {
                "id": "conversation",
                "name": "Conversation",
                "description": "Talks about anything, in the context of the session.",
                "tags": ["chat"],
            }
        ],
        "input_modes": ["text/plain"],
        "output_modes": ["text/plain"],
        "capabilities": ["streaming", "multi_turn"],
    }
    assert code(maker.get(f"{AGENTS}/nobody/card")) == "AGENT_NOT_FOUND"


def test_the_pages_of_the_catalogue_follow_each_other(maker: Caller):
    for slug in "ab":
        maker.post(AGENTS, {**ORDER, "slug": slug, "policy": ""})

    first = maker.get(f"{AGENTS}?limit=2&fields=slug").json()
    second = maker.get(f"{AGENTS}?limit=2&fields=slug&cursor={first['next']}").json()

    assert sorted(one["slug"] for one in first["data"] + second["data"]) == ["a", "assistant", "b"]
    assert second["next"] == ""


def test_who_belongs_to_other_teams_changes_nothing(maker: Caller):
    maker.post(AGENTS, {**ORDER, "visibility": "public"})
    maker.post(AGENTS, {**ORDER, "slug": "hidden", "visibility": "private"})
    other = caller(team="other")

    assert other.get(f"{AGENTS}/analyst").status_code == 200
    assert code(other.patch(f"{AGENTS}/analyst", {"name": "Mine"})) == "PERMISSION_DENIED"
    assert code(other.delete(f"{AGENTS}/assistant")) == "PERMISSION_DENIED"
    assert code(other.get(f"{AGENTS}/hidden")) == "AGENT_NOT_FOUND"
    assert code(other.patch(f"{AGENTS}/hidden", {"name": "Mine"})) == "AGENT_NOT_FOUND"
    assert code(other.post(AGENTS, {**ORDER, "slug": "x", "team": "default"})) == (
        "PERMISSION_DENIED"
    )
    assert Agent.objects.get(slug="analyst").name == "Analyst"


def test_who_only_reads_writes_nothing(maker: Caller):
    reader = caller(["agents:read"])

    assert reader.get(AGENTS).status_code == 200
    assert code(reader.post(AGENTS, ORDER)) == "PERMISSION_DENIED"
    assert code(reader.delete(f"{AGENTS}/assistant")) == "PERMISSION_DENIED"
    assert code(caller(["runs:read"]).get(AGENTS)) == "PERMISSION_DENIED"
    assert OPEN_SCOPES.isdisjoint({"agents:write", "providers:write"})


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"slug": "two words"}, "VALIDATION_ERROR"),
        ({"model": "nonsense"}, "VALIDATION_ERROR"),
        ({"model": "nowhere:model"}, "VALIDATION_ERROR"),
        ({"settings": {"api_key": "x"}}, "VALIDATION_ERROR"),
        ({"limits": {"max_steps": "many"}}, "VALIDATION_ERROR"),
        ({"policy": "nobody"}, "POLICY_NOT_FOUND"),
        ({"unknown": 1}, "VALIDATION_ERROR"),
        ({"slug": "assistant"}, "AGENT_ALREADY_EXISTS"),
    ],
)
def test_an_agent_that_cannot_be_is_refused(maker: Caller, wrong, expected):
    maker.get(AGENTS)

    assert code(maker.post(AGENTS, {**ORDER, **wrong})) == expected
    assert Agent.objects.count() == 1


def test_a_provider_is_made_changed_and_removed_and_its_key_is_never_said(maker: Caller):
    order = {"slug": "own", "base_url": "https://own.example/v1", "secret": KEY}

    answers = [
        maker.post(PROVIDERS, order),
        maker.get(f"{PROVIDERS}/own"),
        maker.get(PROVIDERS),
        maker.patch(f"{PROVIDERS}/own", {"kind": "anthropic"}),
    ]
    kept = Provider.objects.get().secret
    moved = maker.patch(f"{PROVIDERS}/own", {"base_url": "https://other.example"})
    emptied = maker.patch(f"{PROVIDERS}/own", {"base_url": "https://other.example", "secret": ""})
    removed = maker.delete(f"{PROVIDERS}/own")

    assert [one.status_code for one in answers] == [201, 200, 200, 200]
    said = json.dumps([one.json() for one in answers])
    audit = json.dumps(list(AuditEntry.objects.values_list("detail", flat=True)))
    assert KEY not in said + audit + kept
    assert sealed.unseal(kept) == KEY
    assert (answers[0].json()["has_secret"], answers[0].json()["is_complete"]) == (True, True)
    assert status_and_code(moved) == (400, "VALIDATION_ERROR")
    assert (emptied.json()["has_secret"], emptied.json()["is_complete"]) == (False, False)
    assert removed.status_code == 204
    assert code(maker.get(f"{PROVIDERS}/own")) == "PROVIDER_NOT_FOUND"
    assert code(maker.delete(f"{PROVIDERS}/own")) == "PROVIDER_NOT_FOUND"


def test_only_administrators_register_providers(maker: Caller):
    maker.post(PROVIDERS, {"slug": "own"})
    others = caller(sorted(SCOPES - {"providers:write"}))

    assert others.get(f"{PROVIDERS}/own").status_code == 200
    assert code(others.post(PROVIDERS, {"slug": "x"})) == "PERMISSION_DENIED"
    assert code(others.patch(f"{PROVIDERS}/own", {"secret": "x"})) == "PERMISSION_DENIED"
    assert code(others.delete(f"{PROVIDERS}/own")) == "PERMISSION_DENIED"
    assert code(maker.post(PROVIDERS, {"slug": "own"})) == "PROVIDER_ALREADY_EXISTS"
    assert code(maker.post(PROVIDERS, {"slug": "scripted"})) == "VALIDATION_ERROR"
    assert Provider.objects.get().secret == ""


def test_an_agent_may_name_a_provider_that_there_is(maker: Caller):
    maker.post(PROVIDERS, {"slug": "own", "base_url": "http://127.0.0.1:1/v1"})

    made = maker.post(AGENTS, {**ORDER, "policy": "", "model": "own:qwen"})

    assert made.json()["model"] == "own:qwen"
