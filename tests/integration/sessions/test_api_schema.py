import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.openapi import AutoSchema
from msgspec import Struct, defstruct

from streaming.api import schema as describing
from tests import factories
from tests.calling import caller


@pytest.fixture(scope="module")
def schema():
    written = io.StringIO()
    call_command(
        "spectacular", validate=True, fail_on_warn=True, format="openapi-json", stdout=written
    )
    return json.loads(written.getvalue())


def test_the_schema_is_valid_and_whole(schema):
    assert set(schema["paths"]) == {
        "/aegis/commands",
        "/agents",
        "/agents/{agent}",
        "/agents/{agent}/tasks",
        "/agents/{agent}/tasks/{task}",
        "/api/v1/agent-sessions",
        "/api/v1/agent-sessions/stats",
        "/api/v1/agent-sessions/{session}",
        "/api/v1/agents",
        "/api/v1/agents/{agent}",
        "/api/v1/agents/{agent}/card",
        "/api/v1/agents/{agent}/check",
        "/api/v1/agents/{agent}/triggers",
        "/api/v1/approvals",
        "/api/v1/approvals/batch",
        "/api/v1/approvals/{approval}",
        "/api/v1/approvals/{approval}/claim",
        "/api/v1/approvals/{approval}/decide",
        "/api/v1/audit",
        "/api/v1/audit/export",
        "/api/v1/audit/verify",
        "/api/v1/audit/{entry}",
        "/api/v1/bookmarks",
        "/api/v1/bookmarks/{bookmark}",
        "/api/v1/budgets",
        "/api/v1/budgets/{budget}",
        "/api/v1/components",
        "/api/v1/components/{component}",
        "/api/v1/components/{component}/log",
        "/api/v1/credentials",
        "/api/v1/credentials/{credential}",
        "/api/v1/credentials/{credential}/rotate",
        "/api/v1/files/{link}",
        "/api/v1/grants",
        "/api/v1/grants/{grant}",
        "/api/v1/health/items",
        "/api/v1/health/snooze",
        "/api/v1/health/wake",
        "/api/v1/policies",
        "/api/v1/policies/rehearse",
        "/api/v1/policies/try",
        "/api/v1/policies/{policy}",
        "/api/v1/programs",
        "/api/v1/programs/{program}",
        "/api/v1/providers",
        "/api/v1/providers/{provider}",
        "/api/v1/purge",
        "/api/v1/quotas",
        "/api/v1/runs",
        "/api/v1/runs/{run}",
        "/api/v1/runs/{run}/cancel",
        "/api/v1/runs/{run}/limits",
        "/api/v1/runs/{run}/stream",
        "/api/v1/search",
        "/api/v1/sessions",
        "/api/v1/sessions/import",
        "/api/v1/sessions/{session}",
        "/api/v1/sessions/{session}/activate",
        "/api/v1/sessions/{session}/approvals",
        "/api/v1/sessions/{session}/approvals/{approval}",
        "/api/v1/sessions/{session}/artifacts",
        "/api/v1/sessions/{session}/artifacts/generate",
        "/api/v1/sessions/{session}/artifacts/{artifact}",
        "/api/v1/sessions/{session}/artifacts/{artifact}/analysis",
        "/api/v1/sessions/{session}/artifacts/{artifact}/content",
        "/api/v1/sessions/{session}/artifacts/{artifact}/link",
        "/api/v1/sessions/{session}/artifacts/{artifact}/versions",
        "/api/v1/sessions/{session}/assign",
        "/api/v1/sessions/{session}/attach",
        "/api/v1/sessions/{session}/attachments",
        "/api/v1/sessions/{session}/attachments/{attachment}",
        "/api/v1/sessions/{session}/attachments/{attachment}/analysis",
        "/api/v1/sessions/{session}/attachments/{attachment}/content",
        "/api/v1/sessions/{session}/attachments/{attachment}/link",
        "/api/v1/sessions/{session}/bookmarks",
        "/api/v1/sessions/{session}/capsule",
        "/api/v1/sessions/{session}/chat",
        "/api/v1/sessions/{session}/chat/stream",
        "/api/v1/sessions/{session}/checkpoints",
        "/api/v1/sessions/{session}/checkpoints/{checkpoint}",
        "/api/v1/sessions/{session}/checkpoints/{checkpoint}/diff",
        "/api/v1/sessions/{session}/clock",
        "/api/v1/sessions/{session}/compare",
        "/api/v1/sessions/{session}/complete",
        "/api/v1/sessions/{session}/components",
        "/api/v1/sessions/{session}/components/{component}",
        "/api/v1/sessions/{session}/components/{component}/detach",
        "/api/v1/sessions/{session}/components/{component}/log-level",
        "/api/v1/sessions/{session}/components/{component}/ping",
        "/api/v1/sessions/{session}/components/{component}/restart",
        "/api/v1/sessions/{session}/end",
        "/api/v1/sessions/{session}/events",
        "/api/v1/sessions/{session}/fail",
        "/api/v1/sessions/{session}/fork",
        "/api/v1/sessions/{session}/messages",
        "/api/v1/sessions/{session}/messages/export",
        "/api/v1/sessions/{session}/messages/{message}",
        "/api/v1/sessions/{session}/messages/{message}/branches",
        "/api/v1/sessions/{session}/messages/{message}/choose",
        "/api/v1/sessions/{session}/messages/{message}/context",
        "/api/v1/sessions/{session}/messages/{message}/edit",
        "/api/v1/sessions/{session}/pause",
        "/api/v1/sessions/{session}/reconnect",
        "/api/v1/sessions/{session}/recover",
        "/api/v1/sessions/{session}/redrive",
        "/api/v1/sessions/{session}/restart",
        "/api/v1/sessions/{session}/resume",
        "/api/v1/sessions/{session}/review",
        "/api/v1/sessions/{session}/runs",
        "/api/v1/sessions/{session}/sandbox",
        "/api/v1/sessions/{session}/sandbox/content",
        "/api/v1/sessions/{session}/search",
        "/api/v1/sessions/{session}/seek",
        "/api/v1/sessions/{session}/speed",
        "/api/v1/sessions/{session}/start",
        "/api/v1/sessions/{session}/step",
        "/api/v1/sessions/{session}/stop",
        "/api/v1/sessions/{session}/suspend",
        "/api/v1/sessions/{session}/tags",
        "/api/v1/sessions/{session}/tags/suggested",
        "/api/v1/sessions/{session}/tags/{tag}",
        "/api/v1/sessions/{session}/tokens",
        "/api/v1/sessions/{session}/tool-calls",
        "/api/v1/sessions/{session}/tool-calls/{tool_call}",
        "/api/v1/sessions/{session}/topics",
        "/api/v1/sessions/{session}/topics/{topic}",
        "/api/v1/sessions/{session}/topics/{topic}/export",
        "/api/v1/sessions/{session}/topics/{topic}/subscribers",
        "/api/v1/sessions/{session}/uploads",
        "/api/v1/sessions/{session}/uploads/{upload}",
        "/api/v1/sessions/{session}/uploads/{upload}/finish",
        "/api/v1/statistics",
        "/api/v1/statistics/export",
        "/api/v1/tags",
        "/api/v1/tags/popular",
        "/api/v1/tags/{tag}",
        "/api/v1/templates",
        "/api/v1/templates/from-session",
        "/api/v1/templates/import",
        "/api/v1/templates/{template}",
        "/api/v1/templates/{template}/activate",
        "/api/v1/templates/{template}/apply",
        "/api/v1/templates/{template}/diff",
        "/api/v1/templates/{template}/export",
        "/api/v1/templates/{template}/test",
        "/api/v1/templates/{template}/versions",
        "/api/v1/templates/{template}/versions/{version}",
        "/api/v1/tool-calls/{tool_call}",
        "/api/v1/tool-calls/{tool_call}/resolve",
        "/api/v1/tool-servers",
        "/api/v1/tool-servers/{tool_server}",
        "/api/v1/tools",
        "/api/v1/tools/{tool}",
        "/api/v1/topics",
        "/api/v1/triggers",
        "/api/v1/triggers/{trigger}",
        "/api/v1/triggers/{trigger}/test",
        "/api/v1/webhooks",
        "/api/v1/webhooks/{webhook}",
        "/api/v1/webhooks/{webhook}/deliveries",
        "/api/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver",
        "/api/v1/webhooks/{webhook}/rotate",
        "/api/v1/webhooks/{webhook}/test",
        "/bus/{daemon}",
        "/sessions",
        "/sessions/{session}",
        "/sessions/{session}/tasks",
    }


def test_words_stand_where_they_are_used(schema):
    documents = schema["components"]["schemas"]

    session = documents["SessionDocument"]["properties"]["state"]["enum"]
    component = documents["ComponentDocument"]["properties"]["state"]["enum"]
    assert "paused" in session
    assert "lost" in component


@pytest.mark.parametrize("is_part", [False, True])
def test_two_documents_of_one_name_are_warned_of(
    *, is_part: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(describing, "described", {})
    first, second = (defstruct("Twin", [(name, int)]) for name in ("one", "other"))
    later = defstruct("Whole", [("part", second)]) if is_part else second

    try:
        named = [_named(first), _named(first), capsys.readouterr().err, _named(later)]
    finally:
        GENERATOR_STATS.reset()

    assert named == ["Twin", "Twin", "", later.__name__]
    assert "Two documents that differ are named Twin." in capsys.readouterr().err


def _named(document: type[Struct]) -> str:
    return describing.Documents(document).get_name(AutoSchema(), "response")


def test_every_post_tells_of_its_key(schema):
    without = [
        address
        for address, methods in schema["paths"].items()
        if "post" in methods
        and "Idempotency-Key" not in [one["name"] for one in methods["post"]["parameters"]]
    ]

    assert without == []


@pytest.mark.django_db
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_schema_and_its_pages_are_served(slash: str):
    browser = Client()

    schema = browser.get(f"/api/schema{slash}")
    page = browser.get(f"/api/docs{slash}")

    assert (schema.status_code, page.status_code) == (200, 200)
    assert b"openapi: 3.1" in schema.content
    # The policy lets no inline script run.
    assert b"<script>" not in page.content
    assert b"/static/drf_spectacular_sidecar/swagger-ui-dist/" in page.content


# The same addresses in a browser


@pytest.fixture
def browser() -> Client:
    person = User.objects.create_superuser("ann", "", "x")
    person.groups.add(factories.team("default"))
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    return client


@pytest.mark.django_db
def test_a_browser_gets_a_page_with_the_verbs(browser: Client):
    made = factories.session(key="k")

    page = browser.get("/api/v1/sessions/k", headers={"Accept": "text/html"}).content.decode()

    assert str(made.pk) in page
    for verb in ("start", "complete", "end"):
        assert f'action="/api/v1/sessions/k/{verb}"' in page
    assert 'action="/api/v1/sessions/k/pause"' not in page


@pytest.mark.django_db
def test_a_page_has_an_example_to_begin_with(browser: Client):
    page = browser.get("/api/v1/sessions", headers={"Accept": "text/html"}).content.decode()

    assert "&quot;components&quot;" in page


@pytest.mark.django_db
def test_a_browser_needs_its_token_to_act(browser: Client):
    factories.session(key="k")
    cookie = browser.get("/api/v1/sessions/k", headers={"Accept": "text/html"}).cookies["csrftoken"]

    without = browser.post("/api/v1/sessions/k/start", "{}", "application/json")
    within = browser.post(
        "/api/v1/sessions/k/start",
        "{}",
        "application/json",
        headers={"X-CSRFToken": cookie.value},
    )

    assert (without.status_code, within.status_code) == (403, 200)


@pytest.mark.django_db
def test_a_program_gets_no_pages():
    assert caller().get("/api/v1/sessions", accept="*/*").headers["Content-Type"] == (
        "application/json"
    )
