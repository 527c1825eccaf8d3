import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aegis_project.database import run_db
from sessions.admin import trial
from sessions.models import Agent
from sessions.selectors import agents as catalogue
from streaming.models import AuditEntry
from tests.factories import OPERATOR
from tests.integration.admin.help import AGENTS, text

READ = ("aegis_sessions.view_agent",)
WRITE = (*READ, "aegis_sessions.change_agent")
FORM = {
    "slug": "analyst",
    "name": "Market analyst",
    "description": "Explains prices.",
    "model": "scripted:echo",
    "instructions": "Be brief.",
    "tools": "memory_*\n\n topic_window ",
    "policy": "",
    "limits": '{"max_steps": 5}',
    "settings": "",
    "visibility": "public",
    "team": "",
    "is_active": "on",
}


@pytest.fixture
def admin(client, superuser):
    client.force_login(superuser)
    return client


def test_an_agent_is_made_changed_and_removed(admin, team):
    made = admin.post(f"{AGENTS}add/", FORM)
    row = Agent.objects.get(slug="analyst")
    page = admin.get(f"{AGENTS}{row.pk}/change/").content.decode()
    changed = admin.post(
        f"{AGENTS}{row.pk}/change/",
        FORM | {"team": str(team.pk), "visibility": "private", "is_active": ""},
    )
    after = Agent.objects.get(slug="analyst")
    removed = admin.post(f"{AGENTS}{row.pk}/remove/", follow=True)

    assert (made.status_code, made["Location"]) == (302, f"{AGENTS}{row.pk}/change/")
    assert (row.tools, row.limits, row.team) == (
        ["memory_*", "topic_window"],
        {"max_steps": 5},
        None,
    )
    assert "&quot;max_steps&quot;: 5" in page
    assert changed.status_code == 302
    assert (after.team, after.visibility, after.is_active, after.version) == (
        team,
        "private",
        False,
        2,
    )
    assert "is removed. What its runs said stays." in text(removed)
    assert not Agent.objects.filter(slug="analyst").exists()
    commands = AuditEntry.objects.order_by("pk").values_list("command", flat=True)
    assert list(commands) == ["agent.create", "agent.update", "agent.remove"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"slug": "two words"}, "A slug has 1 to 100"),
        ({"model": "nonsense"}, "PROVIDER:MODEL"),
        ({"model": "nowhere:x"}, "There is no provider nowhere."),
        ({"limits": "[1]"}, "This must be a JSON object."),
        ({"limits": '{"max_steps": -1}'}, "max_steps is a whole number"),
        ({"settings": '{"key": 1}'}, "The settings cannot be"),
        ({"slug": "assistant"}, "An agent assistant exists."),
    ],
)
def test_what_cannot_be_is_told(admin, wrong, says):
    catalogue.assistant()

    page = admin.post(f"{AGENTS}add/", FORM | wrong)

    assert says in text(page)
    assert Agent.objects.count() == 1


def test_the_list_shows_the_assistant_first_of_all(admin):
    page = text(admin.get(AGENTS))

    assert "Assistant assistant default Everybody every team no tools yes" in page


def test_the_list_costs_the_same_with_many_agents(admin):
    for number in range(20):
        Agent.objects.create(slug=f"a{number}", name=f"A {number}", model="default", tools=["x"])
    admin.get(AGENTS)

    with CaptureQueriesContext(
        connection,
    ) as few:
        admin.get(AGENTS)
    Agent.objects.filter(slug__in=[f"a{number}" for number in range(15)]).delete()
    with CaptureQueriesContext(connection) as fewer:
        admin.get(AGENTS)

    assert len(few) == len(fewer)


def test_who_reads_agents_changes_none(client, person):
    client.force_login(person("rita", *READ))
    row = catalogue.assistant()

    page = client.get(f"{AGENTS}{row.pk}/change/").content.decode()

    assert "Save agent" not in page
    assert "Test model" not in page
    assert client.post(f"{AGENTS}{row.pk}/change/", FORM).status_code == 403
    assert client.post(f"{AGENTS}add/", FORM).status_code == 403
    assert client.get(f"{AGENTS}add/").status_code == 403
    assert client.post(f"{AGENTS}{row.pk}/trial/").status_code == 403
    assert [one[:3] for one in entries()] == [("assistant", "refused", "PERMISSION_DENIED")]
    assert "PERMISSION_DENIED" in text(client.post(f"{AGENTS}{row.pk}/remove/", follow=True))
    assert list(Agent.objects.values_list("version", flat=True)) == [1]


def test_who_writes_agents_of_a_team_writes_no_others(client, person, team):
    client.force_login(person("rita", *WRITE))
    row = catalogue.assistant()

    page = client.get(f"{AGENTS}{row.pk}/change/").content.decode()
    made = client.post(f"{AGENTS}add/", FORM | {"team": str(team.pk)})

    assert "Save agent" not in page
    assert client.post(f"{AGENTS}{row.pk}/change/", FORM).status_code == 403
    assert made.status_code == 302
    assert Agent.objects.get(slug="analyst").team == team


def test_agents_out_of_sight_are_not_there(client, person, other_team):
    client.force_login(person("rita", *WRITE))
    hidden = Agent.objects.create(
        slug="hidden", name="Hidden", model="default", visibility="private", team=other_team
    )

    assert "Hidden" not in text(client.get(AGENTS))
    for address in (f"{hidden.pk}/change/", "x/change/", "999999/change/"):
        assert client.get(f"{AGENTS}{address}").status_code == 404


def test_who_may_not_read_them_has_no_place_for_them(client, viewer):
    client.force_login(viewer)

    assert client.get(AGENTS).status_code == 403
    assert "smart_toy" not in client.get("/admin/aegis_sessions/session/").content.decode()


def test_a_question_to_a_model_is_answered_by_a_stream(admin):
    row = catalogue.assistant()

    answer = admin.post(f"{AGENTS}{row.pk}/trial/", {"question": "Hello"})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
    assert answer.is_async
    # The audit has it once the answer is over, or nobody waits for it any more.
    assert not AuditEntry.objects.filter(command="agent.try").exists()
    assert admin.get(f"{AGENTS}{row.pk}/trial/").status_code == 405


def test_the_assistant_is_not_removed(admin):
    row = catalogue.assistant()

    page = admin.get(f"{AGENTS}{row.pk}/change/").content.decode()
    refused = admin.post(f"{AGENTS}{row.pk}/remove/", follow=True)

    assert "Remove agent" not in page
    assert "INVALID_STATE" in text(refused)


@pytest.mark.django_db(transaction=True)
async def test_a_model_is_tried_and_its_answer_comes_in_pieces():
    said = await tried("scripted:echo", question="one two")

    assert said == [
        {"text": "one "},
        {"text": "two"},
        {
            "done": {
                "model": "scripted:echo",
                "finish_reason": "stop",
                "input_tokens": 2,
                "output_tokens": 2,
                "cost": "0",
            }
        },
    ]


@pytest.mark.django_db(transaction=True)
async def test_a_model_that_cannot_be_asked_says_why():
    assert await tried("scripted:failing") == [
        {"text": "This "},
        {"text": "is "},
        {"text": "as "},
        {"error": {"code": "LLM_ERROR", "message": "The script fails.", "details": {}}},
    ]
    [missing] = await tried("nowhere:model")
    assert missing["error"]["message"] == "There is no provider nowhere."
    assert await run_db(entries) == [
        ("scripted-failing", "refused", "LLM_ERROR", {"message": "The script fails."}),
        (
            "nowhere-model",
            "refused",
            missing["error"]["code"],
            {"message": "There is no provider nowhere."},
        ),
    ]


@pytest.mark.django_db(transaction=True)
async def test_a_model_that_was_asked_is_in_the_audit_also_when_nobody_waits_for_its_end():
    await tried("scripted:echo", question="one two")
    row = await run_db(lambda: Agent.objects.get(slug="scripted-echo"))
    said: Any = trial.lines(row, "one two", OPERATOR)
    await anext(said)
    await said.aclose()

    whole = {
        "model": "scripted:echo",
        "finish_reason": "stop",
        "input_tokens": 2,
        "output_tokens": 2,
        "cost": "0",
    }
    assert await run_db(entries) == [
        ("scripted-echo", "ok", "", whole),
        ("scripted-echo", "ok", "", {"finish_reason": "left"}),
    ]


def entries() -> list[Any]:
    rows = AuditEntry.objects.filter(command="agent.try").order_by("pk")
    return list(rows.values_list("target", "outcome", "code", "detail"))


async def tried(model: str, *, question: str = "Hello.") -> list[dict[str, Any]]:
    def make() -> Agent:
        return Agent.objects.create(slug=model.replace(":", "-"), name="A", model=model)

    row = await run_db(make)
    return [json.loads(line) async for line in trial.lines(row, question, OPERATOR)]
