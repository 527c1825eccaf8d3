"""`aegis tool` and `aegis agent check`: what there is for agents, and whether they could work."""

import json
from typing import Any

import pytest

from components.core.lifecycle import Role
from components.services.registry import Expected
from sessions.core.errors import ToolExecutionFailed
from sessions.core.lifecycle import State
from sessions.core.tools import ToolSpec
from sessions.models import Agent, ToolServer
from sessions.selectors import agents
from sessions.toolbox import servers
from streaming.models import AuditEntry
from tests import asking, factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]
SCOPES = (
    *("sessions:read", "agents:read", "runs:read"),
    *("components:read", "policies:read", "tool_servers:read", "runs:write"),
)


@pytest.fixture(params=["aegis", "far"])
def run(request: pytest.FixtureRequest):
    """The command line here, and at another server."""
    found = request.getfixturevalue(request.param)
    return found if request.param == "aegis" else lambda *words: found(*words, scopes=SCOPES)


def test_tools_are_listed(run):
    names = run("tool", "list", "-q").out.splitlines()
    [table, *_] = run("tool", "list").out.splitlines()
    told = run("tool", "list", "--json", "--fields", "name,risk").document

    assert names == sorted(names)
    assert "ask_person" in names
    assert table.split() == ["TOOL", "RISK", "FROM", "ASKS", "REPEATED", "DESCRIPTION"]
    assert {"name": "ask_person", "risk": "safe"} in told["data"]


def test_a_session_and_tool_servers_have_more(run, monkeypatch: pytest.MonkeyPatch):
    session = factories.session(key="k", expected=[Expected(name="desk", role=Role.TOOL)])
    offer = {"name": "buy", "description": "Buys."}
    factories.readied(session, "desk", capabilities={"tools": [offer]})
    for slug in ("far", "away"):
        ToolServer.objects.create(slug=slug, url="https://tools.example/mcp")

    async def said(row: ToolServer) -> list[ToolSpec]:
        if row.slug == "away":
            raise ToolExecutionFailed("It cannot be asked.")
        return [ToolSpec("mcp.far.look", "Looks.", {"type": "object"}, source="mcp")]

    monkeypatch.setattr(servers, "asked", said)
    plain = run("tool", "list", "-q").out.splitlines()
    more = run("tool", "list", "--session", "k", "--ask", "-q")
    shown = run("tool", "show", "component.desk.buy", "--session", "k", "--json").document

    assert set(more.out.splitlines()) - set(plain) == {"component.desk.buy", "mcp.far.look"}
    assert more.err == "away: It cannot be asked.\n"
    assert (shown["data"]["risk"], shown["data"]["verdicts"]) == (
        "high",
        {"auto": "auto", "manual": "approve"},
    )


def test_a_tool_tells_who_may_ask_for_it(run):
    Agent.objects.create(slug="analyst", model="default", tools=["ask_*"])

    told = run("tool", "show", "ask_person", "--json").document["data"]
    lines = run("tool", "show", "ask_person").out.splitlines()
    missing = run("tool", "show", "nothing", "--json")

    assert told["agents"] == ["analyst"]
    assert set(told["verdicts"]) == {"auto", "manual"}
    assert lines[0].split() == ["name", "ask_person"]
    assert (missing.code, missing.document["error"]["code"]) == (3, "TOOL_NOT_FOUND")


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (["list"], "agents:read"),
        (["list", "--session", "k"], "components:read"),
        (["list", "--ask"], "tool_servers:read"),
        (["show", "ask_person"], "policies:read"),
    ],
)
def test_who_may_not_look_is_told_nothing(far, words: list[str], missing: str):
    factories.session(key="k", team="default")

    refused = far("tool", *words, scopes=tuple(one for one in SCOPES if one != missing))

    assert (refused.code, refused.out) == (4, "")
    assert missing in refused.err


def test_calls_are_listed(run):
    session = factories.session_in(State.RUNNING, key="k")
    call = asking.asked(asking.run(session))

    told = run("tool", "calls", "k", "--json").document
    [head, line] = run("tool", "calls", "k").out.splitlines()
    none = run("tool", "calls", "k", "--state", "unknown,completed", "-q")
    wrong = run("tool", "calls", "k", "--state", "asleep")
    nowhere = run("tool", "calls", "nowhere")

    assert [one["id"] for one in told["data"]] == [str(call.pk)]
    assert head.split() == ["CALL", "TOOL", "STATE", "RISK", "BY", "AGE", "ARGUMENTS"]
    assert line.split()[0] == str(call.pk)
    assert told["meta"] == {"count": 1, "has_more": False}
    assert (none.code, none.out) == (0, "")
    assert (wrong.code, nowhere.code) == (2, 3)


def test_more_calls_than_the_limit_are_told_of(aegis):
    running = asking.run(factories.session_in(State.RUNNING, key="k"))
    for _ in range(2):
        asking.asked(running)

    told = aegis("tool", "calls", "k", "--limit", "1", "-q")

    assert (len(told.out.splitlines()), told.err) == (1, "There are more than 1; see --limit.\n")


def checked(aegis: Any, slug: str, *more: str) -> dict[str, str]:
    told = aegis("agent", "check", slug, "--json", *more)
    found = told.document["data"]
    assert told.code == (9 if any(one["state"] == "error" for one in found) else 0)
    return {one["check"]: f"{one['state']}: {one['said']}" for one in found}


def test_an_agent_that_could_work_says_so(run):
    agents.assistant()

    found = checked(run, "assistant", "--call")

    assert found["use"] == "ok: It is in use."
    assert found["model"] == "ok: default is scripted:assistant."
    assert found["tools"] == "notice: It has no tools."
    assert found["policy"].startswith("notice: It has no policy of its own")
    assert found["call"].startswith("ok: It answers: ")


def test_a_model_that_is_asked_is_in_the_audit_with_who_asked_and_what_it_took(run):
    agents.assistant()
    Agent.objects.create(slug="broken", name="Broken", model="scripted:failing")

    checked(run, "assistant")
    before = tries()
    checked(run, "assistant", "--call")
    failed = checked(run, "broken", "--call")
    gone = run("agent", "check", "nobody", "--call")

    assert before == []
    assert [(one.target, one.outcome, one.code) for one in tries()] == [
        ("assistant", "ok", ""),
        ("broken", "refused", "LLM_ERROR"),
        ("nobody", "refused", "AGENT_NOT_FOUND"),
    ]
    assert tries()[0].detail["model"] == "scripted:assistant"
    assert tries()[0].detail["output_tokens"] > 0
    assert {one.principal_id for one in tries()} != {""}
    assert failed["call"] == "error: LLM_ERROR: The script fails."
    assert gone.code == 3


def tries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(command="agent.try").order_by("pk"))


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        (["ask_*"], "ok: ask_*: ask_person."),
        (["no_such"], "error: There is no tool no_such."),
        (["component.desk.*"], "notice: component.desk.* is there while a component"),
        (["mcp.far.*"], "ok: mcp.far.* is for its server to say."),
        (["mcp.gone.look"], "error: There is no tool server gone in use for mcp.gone.look."),
    ],
)
def test_tools_of_an_agent_are_looked_for(aegis, tools: list[str], said: str):
    ToolServer.objects.create(slug="far", url="https://tools.example/mcp")
    ToolServer.objects.create(slug="gone", url="https://tools.example/mcp", is_active=False)
    Agent.objects.create(slug="analyst", model="scripted:assistant", tools=tools)

    assert checked(aegis, "analyst")["tools"].startswith(said)


def test_what_keeps_an_agent_from_working_is_named(run):
    team = factories.team("default")
    Agent.objects.create(slug="analyst", model="openai:gpt-5", is_active=False, team=team)

    found = checked(run, "analyst", "--call")
    quiet = run("agent", "check", "analyst", "-q")
    table = run("agent", "check", "analyst")
    missing = run("agent", "check", "nobody")

    assert found["use"] == "error: It is not in use."
    assert found["model"] == (
        "error: openai:gpt-5: There is no key for openai: set OPENAI_API_KEY."
    )
    assert found["call"].startswith("error: ")
    assert quiet.out.split() == ["use", "model"]
    assert table.err == "2 notice, 2 error\n"
    assert missing.code == 3


def test_a_model_is_asked_by_who_may_let_agents_work(far):
    agents.assistant()

    told = far("agent", "check", "assistant", scopes=("agents:read",))
    refused = far("agent", "check", "assistant", "--call", scopes=("agents:read",))

    assert (told.code, refused.code) == (0, 4)
    assert "runs:write" in refused.err
    assert [(one.outcome, one.code) for one in tries()] == [("refused", "PERMISSION_DENIED")]


def test_the_rules_of_its_policy_are_counted(aegis):
    aegis("policy", "list", "-q")
    agent = asking.agent()
    aegis("agent", "update", agent.slug, "--policy", "manual")

    assert checked(aegis, agent.slug)["policy"].startswith("ok: manual has ")


def test_fields_of_findings_are_chosen(run):
    told = run("agent", "check", "assistant", "--json", "--fields", "check,state")

    assert json.loads(told.out)["data"][0] == {"check": "use", "state": "ok"}
