import subprocess
import threading
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import lifecycle
from streaming.models import AuditEntry
from tests import asking, factories, threads

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


def test_several_are_moved_and_counted(aegis):
    for key in ("a", "b"):
        factories.session(key=key)

    told = aegis("session", "start", "a", "b", "none")

    assert told.code == 7
    assert [line.split()[2] for line in told.out.splitlines()] == ["a", "b"]
    assert told.err.splitlines()[0] == "error: SESSION_NOT_FOUND: none: There is no such session."
    assert told.err.splitlines()[-1] == "2 ok, 1 refused"


def test_several_are_one_document(aegis):
    factories.session(key="a")

    said = aegis("session", "start", "a", "none", "--json").document

    assert [(one["key"], one["previous_state"]) for one in said["data"]] == [("a", "created")]
    assert said["meta"]["refused"]["none"]["code"] == "SESSION_NOT_FOUND"


def test_when_none_is_moved_the_first_error_counts(aegis):
    factories.session_in(State.ENDED, key="a")

    assert aegis("session", "start", "a", "none").code == 5


def test_a_dry_run_changes_nothing(aegis):
    factories.session_in(State.RUNNING, key="a")
    factories.session_in(State.ENDED, key="b")

    told = aegis("session", "end", "a", "b", "--dry-run")
    said = aegis("session", "pause", "a", "b", "--dry-run", "--json").document
    gone = aegis("session", "delete", "a", "b", "--dry-run", "--json").document

    assert [line.split()[-2:] for line in told.out.splitlines()[1:]] == [
        ["s", "end"],
        ["do", "nothing"],
    ]
    assert [one["would"] for one in said["data"]] == ["pause", "be refused: it is ended"]
    assert [one["would"] for one in gone["data"]] == ["end and hide", "hide"]
    assert set(Session.objects.values_list("state", flat=True)) == {"running", "ended"}


# What cannot be taken back


@pytest.mark.parametrize("verb", ["end", "delete"])
def test_without_a_terminal_somebody_must_be_sure(aegis, verb: str):
    made = factories.session(key="k")

    unsure = aegis("session", verb, "k")
    made.refresh_from_db()
    state = made.state
    sure = aegis("session", verb, "k", "--yes")

    made.refresh_from_db()
    assert (unsure.code, unsure.out, state) == (2, "", "created")
    assert "--yes" in unsure.err
    assert (sure.code, made.state) == (0, "ended")


# Exit codes


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["session", "state", "none"], 3, "SESSION_NOT_FOUND"),
        (["session", "state", "twice"], 2, "AMBIGUOUS_REFERENCE"),
        (["session", "pause", "k"], 5, "INVALID_STATE"),
        (["session", "create", "--key", "k"], 5, "SESSION_ALREADY_EXISTS"),
        (["session", "list", "--as", "viewer"], 0, ""),
        (["session", "start", "k", "--as", "viewer"], 4, "PERMISSION_DENIED"),
        (["session", "list", "--as", "nobody"], 2, "USAGE"),
        (["session", "start", "k", "--wait", "paused", "--timeout", "0"], 6, "TIMEOUT"),
        (["session", "start", "late", "--wait", "running", "--timeout", "5"], 11, "OUT_OF_REACH"),
        (["session", "list", "--state", "bad"], 2, "USAGE"),
        (["component", "show", "k", "none"], 3, "COMPONENT_NOT_FOUND"),
        (["credential", "revoke", "none", "--yes"], 3, "CREDENTIAL_NOT_FOUND"),
        (["topic", "list"], 8, "SERVICE_UNAVAILABLE"),
    ],
)
def test_each_end_has_its_code(aegis, words: list[str], code: int, error: str):
    factories.session(key="k")
    factories.session(name="twice")
    factories.session(name="twice")
    late = factories.session(key="late", expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=late)
    Session.objects.filter(pk=late.pk).update(start_deadline_at=timezone.now())
    viewer = User.objects.create_user("viewer")
    viewer.groups.add(factories.team("default"))
    viewer.user_permissions.add(
        Permission.objects.get(content_type__app_label="aegis_sessions", codename="view_session")
    )

    told = aegis(*words)

    assert told.code == code
    if error:
        assert told.out == ""
        assert told.err.startswith(f"error: {error}: ")
        assert told.err.splitlines()[1].startswith("  next: ")


def test_an_error_is_a_document_too(aegis):
    said = aegis("session", "state", "none", "--json")

    assert said.document == {
        "schema": "aegis.error/1",
        "error": {
            "code": "SESSION_NOT_FOUND",
            "message": "There is no such session.",
            "details": {"session": "none"},
        },
        "meta": {},
    }
    assert said.err.startswith("error: SESSION_NOT_FOUND: ")


@pytest.mark.django_db(transaction=True)
def test_a_command_waits_until_the_session_runs(aegis):
    made = factories.session(key="k", expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=made)

    with threads.beside(lambda: factories.readied(made, "feed")):
        told = aegis("session", "start", "k", "--wait", "running", "--timeout", "20")

    assert (told.code, told.err) == (0, "")
    assert told.out.split()[:2] == ["▶", "running"]


@pytest.mark.django_db(transaction=True)
def test_a_wait_goes_on_behind_a_start_that_waited(aegis, monkeypatch):
    made = factories.session(key="k", expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=made)
    start, begun = lifecycle.start, threading.Event()

    def started(**given: Any) -> Any:
        found = start(**given)
        begun.set()
        return found

    monkeypatch.setattr(lifecycle, "start", started)

    def work() -> None:
        assert begun.wait(20)
        factories.readied(made, "feed")
        lifecycle.complete(principal=factories.OPERATOR, session=made)

    with threads.beside(work):
        told = aegis("session", "start", "k", "--wait", "completed", "--timeout", "20")

    assert (told.code, told.out.split()[1]) == (0, "completed")


def test_a_wait_ends_where_somebody_has_to_decide(aegis):
    session = factories.session_in(State.RUNNING, key="k")
    approval = asking.approval(asking.run(session))

    told = aegis("session", "start", "k", "--wait", "completed", "--timeout", "20")

    assert told.code == 10
    assert told.err.startswith("error: PERSON_NEEDED: ")
    assert told.err.splitlines()[1] == "  next: aegis approval list"
    assert str(approval.pk) in aegis("approval", "list").out


# Who acts


def test_the_audit_names_the_person_of_the_system(aegis):
    person = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True)  # noqa: S607
    User.objects.create_superuser("ann", "", "x")

    aegis("session", "create", "one")
    aegis("session", "create", "two", "--as", "ann", "--team", "default")

    name = person.stdout.strip()
    found = AuditEntry.objects.order_by("pk").values_list("actor", "principal_id", "transport")
    user = User.objects.get()
    assert list(found) == [
        (f"system:cli ({name})", "system:cli", "cli"),
        (f"user:ann (cli, {name})", f"user:{user.pk}", "cli"),
    ]
