"""Pages of the interface say how the same is done with curl and at the command line."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver

from aegis_project import around, ways
from sessions.api.inputs import SessionInput
from streaming.api import fields
from tests import factories


def _read(patterns: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The addresses of the interface that are read, by what they look like."""
    for one in patterns:
        address = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _read(one.url_patterns, address)
        elif address.startswith("api/v1/") and hasattr(getattr(one.callback, "cls", None), "get"):
            yield address.rstrip("/"), one


READ = dict(_read(get_resolver().url_patterns))
REFERENCE = Path(__file__).parents[2] / "docs" / "cli-reference.md"


def test_line_of_curl_is_one_request_whatever_stands_in_it():
    line = ways.curl("POST", "http://a.example/x?q=it's", {"note": "it's $HOME"})

    assert shlex.split(line.replace("$(uuidgen)", "1").replace("$AEGIS_TOKEN", "t")) == [
        "curl",
        *("-H", "Authorization: Bearer t", "-X", "POST", "-H", "Idempotency-Key: 1"),
        *("-H", "Content-Type: application/json", "-d", '{"note": "it\'s $HOME"}'),
        "http://a.example/x?q=it's",
    ]


def test_names_in_commands_are_quoted_and_others_have_none():
    assert ways.command("session", "GET", {"session": "a; b"}) == "./aegis session show 'a; b'"
    assert ways.command("session", "PATCH", {"session": "a"}) == ""


@pytest.mark.parametrize("name", ways.COMMANDS)
def test_commands_are_those_of_the_command_line_and_of_addresses_that_there_are(name):
    reference = REFERENCE.read_text()

    [(_, named)] = get_resolver().reverse_dict.getlist(name)[0][0][:1]
    for line in ways.COMMANDS[name].values():
        assert set(Template(line).get_identifiers()) <= set(named)
        words = line.split("$")[0].split(" --")[0].strip()
        assert f"`aegis {words}" in reference, line


@pytest.mark.django_db
def test_page_shows_what_can_be_copied(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root"))
    factories.session(key="desk")

    page = client.get("/api/v1/sessions/desk", headers={"Accept": "text/html"}).content.decode()

    assert "./aegis session show desk" in page
    assert "curl -H &quot;Authorization: Bearer $AEGIS_TOKEN&quot;" in page
    assert 'data-copy="way-curl-1"' in page


@pytest.mark.django_db
def test_page_leads_to_what_belongs_to_the_session_and_to_each_row(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root"))
    made = factories.session(key="desk")

    page = client.get("/api/v1/sessions/desk/events", headers={"Accept": "text/html"})
    listed = client.get("/api/v1/sessions?limit=1", headers={"Accept": "text/html"})
    factories.session(key="other")
    first = client.get("/api/v1/sessions?limit=1", headers={"Accept": "text/html"})

    assert 'href="/api/v1/sessions/desk/messages"' in page.content.decode()
    assert 'href="/admin/playground/?session=desk"' in page.content.decode()
    assert "ws://testserver/ws/sessions/desk" in page.content.decode()
    assert f'href="/api/v1/sessions/{made.pk}"' in listed.content.decode()
    assert "Next page" not in listed.content.decode()
    assert 'href="?limit=1&amp;cursor=' in first.content.decode()


@pytest.mark.django_db
def test_page_says_what_a_body_may_say(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root"))

    page = client.get("/api/v1/sessions", headers={"Accept": "text/html"}).content.decode()

    assert "<code>historical</code>" in page
    assert 'data-label="004">suspended</td>' in page


def test_fields_are_those_of_the_struct_with_their_words():
    found = {one.name: one for one in fields.of(SessionInput)}

    assert found["mode"].words == ("historical", "realtime")
    assert found["context"].kind == "object"
    assert found["key"].kind == "text"
    assert fields.of(None) == []


def test_rows_without_an_address_lead_nowhere():
    assert around.rows("sessions", {"data": [{"id": ""}, "text", {"id": "a"}]}, {}) == [
        ("a", "/api/v1/sessions/a")
    ]
    assert around.rows("agents", {"data": [{"slug": "a/b"}]}, {}) == []
    assert around.rows("statistics", {"data": [{"id": "a"}]}, {}) == []


def test_rows_are_called_as_people_call_them_and_keep_what_their_list_is_of():
    kept = {"data": [{"id": "c1", "label": "before the dip"}]}
    topics = {"data": [{"session_id": "s1", "name": "book"}]}

    assert around.rows("session-checkpoints", kept, {"session": "desk"}) == [
        ("before the dip · c1", "/api/v1/sessions/desk/checkpoints/c1")
    ]
    assert around.rows("topics", topics, {}) == [("book", "/api/v1/sessions/s1/topics/book")]


def test_each_list_whose_rows_can_be_read_leads_to_them():
    lists = {
        one.name
        for address, one in READ.items()
        if any(re.fullmatch(re.escape(address) + r"/<str:\w+>", other) for other in READ)
    }

    assert lists - around.ROWS.keys() == set()


def test_a_socket_is_of_the_session_of_an_address():
    assert (
        around.socket({"session": "a b"}, host="h", is_secure=True) == "wss://h/ws/sessions/a%20b"
    )
