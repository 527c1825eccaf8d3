"""Pages of the interface say how the same is done with curl and at the command line."""

import shlex
from pathlib import Path
from string import Template

import pytest
from django.urls import get_resolver

from aegis_project import ways
from tests import factories

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
