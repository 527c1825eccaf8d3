"""The command line against a server that was named: over REST, with the rights of a credential."""

import pytest

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.management import far_files
from sessions.selectors import artifacts
from streaming.models import AuditEntry
from tests import asking, factories
from tests.integration.sessions.far_help import AWAY

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


def test_sessions_are_listed_and_shown_as_on_the_machine_itself(aegis, far, monkeypatch):
    made = factories.session(key="k", expected=[Expected(name="prices")])
    factories.session_in(State.ENDED, key="over")

    listed = far("session", "list").out
    ids = far("session", "list", "--closed", "--limit", "1", "-q").out
    card = far("session", "show", "k", scopes=("sessions:read", "components:read")).out
    parts = far("component", "list", "--session", "k", "--json",
                scopes=("sessions:read", "components:read")).document  # fmt: skip
    monkeypatch.delenv("AEGIS_SERVER")

    here = aegis("session", "list").out
    assert _but_ages(listed) == _but_ages(here)
    assert len(ids.split()) == 1
    assert "prices" in card
    assert [one["name"] for one in parts["data"]] == ["prices"]
    assert made.key in listed


def test_what_waits_is_listed_as_far_as_the_credential_may_know(far):
    row = factories.session(key="asked")
    asking.approval(asking.run(row))

    known = far("session", "list", scopes=("sessions:read", "approvals:read"))
    unknown = far("session", "list")

    assert known.out.splitlines()[1].split()[-1] == "1"
    assert known.err == "1 session. 1 approval waits:  aegis approval list\n"
    assert unknown.out.splitlines()[1].split()[-1] == "-"
    assert unknown.err == "1 session.\n"


def _but_ages(table: str) -> list[list[str]]:
    return [[word for word in line.split() if not word.isdigit()] for line in table.splitlines()]


def test_the_lever_is_pulled_there_and_each_refusal_has_its_code(far):
    row = factories.session(key="k")
    control = ("sessions:read", "sessions:control")

    would = far("session", "pause", "k", "--dry-run", "--json").document["data"]
    done = far("session", "start", "k", "none", "--wait", "running", "--json", scopes=control)
    refused = far("session", "stop", "k")
    again = far("session", "complete", "k", "--result", "[1]", scopes=control)
    over = far("session", "pause", "k", scopes=control)
    gone = far("session", "delete", "k", "--yes", "-q", scopes=control)

    row.refresh_from_db()
    assert [one["would"] for one in would] == ["be refused: it is created"]
    assert (done.code, done.document["meta"]["refused"]["none"]["code"]) == (7, "SESSION_NOT_FOUND")
    assert (refused.code, refused.err.split()[1]) == (4, "PERMISSION_DENIED:")
    assert (again.code, row.result) == (0, [1])
    assert (over.code, over.err.split()[1]) == (5, "INVALID_STATE:")
    assert (gone.code, gone.out, row.deleted_at is not None) == (0, f"{row.pk}\n", True)


def test_what_was_refused_there_is_told_with_its_request_by_which_the_audit_knows_it(far):
    factories.session(key="k")

    told = far("session", "stop", "k", "--json")
    entry = AuditEntry.objects.get(command="session.stop")

    request = told.document["meta"]["request_id"]
    assert request == entry.request_id != ""
    assert told.err.splitlines()[1].endswith(f"      request {request}")


def test_approvals_are_decided_there(far):
    run = asking.run(factories.session_in(State.RUNNING, key="k"))
    first, second, third = (asking.approval(run) for _ in range(3))
    scopes = ("sessions:read", "approvals:read", "approvals:decide")

    listed = far("approval", "list", "--session", "k", scopes=scopes).out
    shown = far("approval", "show", str(first.pk), scopes=scopes).out
    edited = far("approval", "approve", str(first.pk), "--edit", "quantity=3", "--json", scopes=scopes)  # fmt: skip
    both = far("approval", "reject", str(first.pk), str(second.pk), "--json", scopes=scopes)
    waited = far("session", "start", "k", "--wait", "completed",
                 scopes=("sessions:read", "sessions:control", "approvals:read"))  # fmt: skip

    assert {line.split()[0] for line in listed.splitlines()[1:]} == {
        str(one.pk) for one in (first, second, third)
    }
    assert "quantity = 5" in shown
    assert edited.document["data"]["edited_arguments"]["quantity"] == 3
    assert (both.code, [one["id"] for one in both.document["data"]]) == (7, [str(second.pk)])
    assert (waited.code, waited.err.split()[1]) == (10, "PERSON_NEEDED:")


def test_a_file_is_brought_in_pieces_and_goes_on_where_it_was(far, tmp_path, monkeypatch):
    session = factories.session(key="k")
    file = tmp_path / "a.txt"
    file.write_text("0123456789")
    monkeypatch.setattr(far_files, "PIECE_BYTES", 4)
    monkeypatch.setattr(far_files, "PAUSE_SECONDS", 0)
    scopes = ("messages:read", "messages:write", "sessions:read")

    AWAY.extend([False, True, True, False])
    done = far("artifact", "write", "k", str(file), "--json", scopes=scopes)
    AWAY.extend([True] * far_files.TRIES)
    lost = far("artifact", "write", "k", str(file), scopes=scopes)

    row = session.artifacts.get()
    assert (done.code, done.document["data"]["id"]) == (0, str(row.pk))
    assert (row.name, artifacts.content(row), AWAY) == ("a.txt", b"0123456789", [])
    assert (lost.code, lost.err.split()[1]) == (8, "SERVICE_UNAVAILABLE:")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["session", "list", "--as", "ann"], "leave --as out"),
        (["session", "list", "--dialect", "001"], "on this machine"),
        (["session", "list", "--mine"], "on this machine"),
        (["role", "list"], "unset AEGIS_SERVER"),
        (["session", "list", "--server", "ftp://x"], "ftp://x is no address"),
    ],
)
def test_what_is_done_on_the_machine_alone_is_not_done_there(far, words, said):
    told = far(*words)

    assert (told.code, told.out) == (2, "")
    assert said in told.err
