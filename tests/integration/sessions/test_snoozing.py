"""Leaving a finding alone over HTTP and at the command line, as on the page Health."""

from collections.abc import Iterator

import pytest
from django.test import Client

from aegis_project import health
from aegis_project.health import Finding, State
from sessions import checks  # noqa: F401 -- it registers its checks
from sessions.models import Snooze
from streaming.models import AuditEntry
from tests.calling import code

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

ADDRESS = "/api/v1/health"
WISH = {"item": "leak", "state": "warning", "seconds": 60, "reason": "plumber"}


def leak() -> Iterator[Finding]:
    yield Finding("leak", State.WARNING, "It drips.", "Call somebody.")


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """One check, which finds something."""
    monkeypatch.setattr(health, "CHECKS", {"leak": leak})


def test_it_is_left_alone_and_told_again_over_http(django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))

    [before] = client.get(f"{ADDRESS}/items").json()["data"]
    [left] = client.post(f"{ADDRESS}/snooze", WISH, "application/json").json()["data"]
    wake = {"item": "leak", "state": "warning"}
    [after] = client.post(f"{ADDRESS}/wake", wake, "application/json").json()["data"]
    again = client.post(f"{ADDRESS}/wake", wake, "application/json")

    assert (before["said"], before["snoozed"]) == ("It drips.", None)
    assert (left["snoozed"]["by"], left["snoozed"]["reason"]) == ("user:root", "plumber")
    assert (after, again.status_code) == (before, 404)
    told = AuditEntry.objects.filter(command__startswith="health.").order_by("pk")
    assert list(told.values_list("command", "target", "outcome")) == [
        ("health.snooze", "leak", "ok"),
        ("health.wake", "leak", "ok"),
        ("health.wake", "", "refused"),
    ]


def test_a_program_may_not(program):
    assert code(program.post(f"{ADDRESS}/snooze", WISH)) == (403, "PERMISSION_DENIED")
    assert not Snooze.objects.exists()


def test_it_is_left_alone_and_told_again_at_the_command_line(aegis):
    left = aegis("doctor", "--snooze", "leak", "--for", "8h", "--reason", "plumber", "--json")
    row = Snooze.objects.get()
    woken = aegis("doctor", "--unsnooze", "leak", "--json")
    refused = [
        aegis("doctor", "--snooze", "leak"),
        aegis("doctor", "--snooze", "leak", "--for", "soon", "--reason", "plumber"),
        aegis("doctor", "--snooze", "none", "--reason", "plumber"),
        aegis("doctor", "--unsnooze", "leak"),
    ]

    assert (row.item, row.state, row.reason) == ("leak", "warning", "plumber")
    assert row.author.startswith("system:cli")
    assert [one["snoozed"] is None for one in left.document["data"]] == [False]
    assert [one["snoozed"] is None for one in woken.document["data"]] == [True]
    assert [one.code for one in refused] == [2, 2, 2, 2]
