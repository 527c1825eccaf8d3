import json
from datetime import timedelta

import pytest
from django.utils import timezone

from components.models import Credential
from components.services.registry import Expected
from sessions.core.lifecycle import State
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

ESCAPE = "\x1b"


def test_components_are_listed(aegis):
    made = factories.session(key="k", expected=[Expected(name="prices")])
    factories.session(key="other", expected=[Expected(name="sink")])
    one = factories.readied(made, "prices")

    everything = aegis("component", "list", "--json").document
    of_one = aegis("component", "list", "--session", "k")
    lost = aegis("component", "list", "--lost", "-q")
    shown = aegis("component", "show", "k", "--json").document

    assert [found["name"] for found in everything["data"]] == ["sink", "prices"]
    assert of_one.out.splitlines()[1].split()[:3] == ["prices", "◎", "ready"]
    assert lost.out == ""
    assert shown["data"]["id"] == str(one.pk)


def test_a_credential_is_issued_listed_and_revoked(aegis):
    issued = aegis("credential", "issue", "dash", "--scope", "sessions:read", "--days", "1")
    row = Credential.objects.get(name="dash")

    listed = aegis("credential", "list", "--usable")
    revoked = aegis("credential", "revoke", row.prefix, "--yes", "--json").document
    after = aegis("credential", "list", "--usable", "-q")

    row.refresh_from_db()
    assert issued.out.startswith(f"aeg_{row.prefix}_")
    assert row.expires_at is not None
    assert row.expires_at - timezone.now() < timedelta(days=1)
    assert listed.out.splitlines()[1].split()[:3] == [row.prefix, "usable", "dash"]
    assert revoked["data"][0]["revoked_at"] is not None
    assert after.out == ""


def test_a_credential_whose_name_is_taken_is_refused(aegis):
    line = ("credential", "issue", "dash", "--scope", "sessions:read", "--json")
    aegis(*line)

    refused = aegis(*line)

    assert (refused.code, refused.document["error"]["code"]) == (5, "CREDENTIAL_ALREADY_EXISTS")


def test_a_credential_is_rotated(aegis):
    aegis("credential", "issue", "dash", "--scope", "sessions:read")
    old = Credential.objects.get(name="dash")

    told = aegis("credential", "rotate", old.prefix, "--overlap", "1", "--json").document["data"]

    new = Credential.objects.exclude(pk=old.pk).get()
    assert told["secret"].startswith(f"aeg_{new.prefix}_")
    assert told["credential"]["id"] == str(new.pk)
    assert aegis("credential", "rotate", "nothing").code == 3


def test_events_are_printed(aegis):
    factories.session_in(State.ENDED, key="k")

    told = aegis("event", "tail", "k")
    lines = aegis("event", "tail", "k", "--no-follow", "--after", "1", "--json").out.splitlines()

    assert [line.split()[2] for line in told.out.splitlines()] == [
        "session.created",
        "session.ended",
    ]
    assert [json.loads(line)["seq"] for line in lines] == [2]


def test_what_comes_from_outside_moves_no_cursor(aegis):
    factories.session(key="k", name="[bold]x[/bold]\x1b[2J")

    told = aegis("session", "list")

    assert ESCAPE not in told.out
    assert "[bold]x[/bold]�[2J" in told.out


def test_fields_are_chosen_in_documents_and_tables(aegis):
    factories.session(key="k", name="One")

    told = aegis("session", "list", "--fields", "name,key")
    listed = aegis("session", "list", "--fields", "key,name", "--json").document
    shown = aegis("session", "show", "k", "--fields", "state", "--json").document
    issued = aegis("tag", "create", "mine", "--fields", "name,is_system")
    unknown = aegis("session", "list", "--fields", "key,colour")

    assert [line.split() for line in told.out.splitlines()] == [["NAME", "KEY"], ["One", "k"]]
    assert (list(listed["data"][0].items()), shown["data"]) == (
        [("key", "k"), ("name", "One")],
        {"state": "created"},
    )
    assert issued.out.splitlines()[1].split() == ["mine", "false"]
    assert (unknown.code, unknown.out) == (2, "")
    assert unknown.err.startswith("error: USAGE: There is no colour; there are id, key, ")


def test_colour_can_be_forced_where_nobody_looks(aegis):
    factories.session(key="k")

    assert ESCAPE in aegis("--force-color", "session", "list").out
