"""The command line against a server that was named: over REST, with the rights of a credential."""

import io
from email.message import Message
from typing import Any
from urllib.error import URLError
from urllib.request import BaseHandler, OpenerDirector, Request
from urllib.response import addinfourl

import pytest
from django.test import Client as Browser

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.management import client, far_files
from sessions.selectors import artifacts
from tests import asking, calling, factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

URL = "https://aegis.example"
# Whether the server is away when the next pieces come, the last first.
AWAY: list[bool] = []


class Here(BaseHandler):
    """Whatever is asked of any server is answered by this process."""

    def https_open(self, request: Request) -> Any:
        if request.get_method() == "PUT" and AWAY and AWAY.pop():
            raise URLError("It is away.")
        wanted = {"Authorization": "Authorization", "Content-Range": "Content-range"}
        said = {name: request.get_header(kept) for name, kept in wanted.items()}
        answer = Browser(raise_request_exception=False).generic(
            request.get_method(),
            request.selector,
            request.data or b"",
            content_type=str(request.get_header("Content-type")),
            headers={name: value for name, value in said.items() if value},
        )
        headers = Message()
        for name, value in answer.headers.items():
            headers[name] = value
        told = addinfourl(io.BytesIO(answer.content), headers, request.full_url, answer.status_code)
        told.msg = answer.reason_phrase  # type: ignore[attr-defined]  # urllib's own way
        return told


@pytest.fixture
def far(aegis, monkeypatch: pytest.MonkeyPatch):
    """The command line with a credential of a team for another server."""
    monkeypatch.setattr(client, "build_opener", _opener)
    monkeypatch.setenv("AEGIS_SERVER", URL)

    def run(*words: str, scopes: tuple[str, ...] = ("sessions:read",)):
        caller = calling.caller(list(scopes))
        monkeypatch.setenv("AEGIS_TOKEN", caller.headers["Authorization"].removeprefix("Bearer "))
        return aegis(*words)

    return run


def _opener(*given: BaseHandler) -> OpenerDirector:
    """What urllib would use, but for who answers."""
    from urllib.request import HTTPDefaultErrorHandler, HTTPErrorProcessor  # noqa: PLC0415

    made = OpenerDirector()
    for one in (*given, Here(), HTTPErrorProcessor(), HTTPDefaultErrorHandler()):
        made.add_handler(one)
    return made


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
    assert [one["would"] for one in would] == ["be refused"]
    assert (done.code, done.document["meta"]["refused"]["none"]["code"]) == (7, "SESSION_NOT_FOUND")
    assert (refused.code, refused.err.split()[1]) == (4, "PERMISSION_DENIED:")
    assert (again.code, row.result) == (0, [1])
    assert (over.code, over.err.split()[1]) == (5, "INVALID_STATE:")
    assert (gone.code, gone.out, row.deleted_at is not None) == (0, f"{row.pk}\n", True)


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
        (["credential", "list"], "unset AEGIS_SERVER"),
        (["session", "list", "--server", "ftp://x"], "ftp://x is no address"),
    ],
)
def test_what_is_done_on_the_machine_alone_is_not_done_there(far, words, said):
    told = far(*words)

    assert (told.code, told.out) == (2, "")
    assert said in told.err
