"""Checkpoints, recover and fork over HTTP and at the command line."""

from typing import Any

import pytest

from sessions.core.lifecycle import State
from sessions.models import Checkpoint, Session
from sessions.services import checkpoints, lifecycle, memory
from tests import asking, factories
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

SESSIONS = "/api/v1/sessions"


def made(**draft: Any) -> Session:
    return factories.session_in(State.PAUSED, key="desk", memory={"n": 1}, **draft)


def taken(session: Session, label: str = "kept") -> Checkpoint:
    return checkpoints.create(principal=OPERATOR, session=session, label=label)


def remember(session: Session, value: Any) -> None:
    memory.remember(principal=OPERATOR, session=session, key="n", value=value)


def test_a_checkpoint_is_taken_read_compared_and_removed(program: Caller):
    session = made()
    address = f"{SESSIONS}/desk/checkpoints"

    said = program.post(address, {"label": "kept"})
    found = said.json()
    remember(session, 2)
    asking.run(session)
    compared = program.get(f"{address}/kept/diff").json()
    gone = program.delete(f"{address}/{found['id']}")

    assert (said.status_code, said["Location"]) == (
        201,
        f"{SESSIONS}/{session.pk}/checkpoints/{found['id']}",
    )
    assert (found["memory"], found["label"], found["cause"]) == ({"n": 1}, "kept", "manual")
    assert program.get(f"{address}/latest").json()["moment"] == "pause"
    assert compared["memory"] == [{"name": "n", "before": 1, "after": 2}]
    assert compared["happened"] == {"run.queued": 1, "session.updated": 1}
    assert [one["agent"] for one in compared["open"]] == ["trader"]
    assert gone.status_code == 204
    assert code(program.get(f"{address}/kept")) == (404, "CHECKPOINT_NOT_FOUND")


def test_checkpoints_are_listed_by_pages_the_newest_first(program: Caller):
    session = made()
    for label in "abc":
        taken(session, label)
    address = f"{SESSIONS}/desk/checkpoints"

    first = program.get(f"{address}?limit=2&fields=label,cause").json()
    second = program.get(f"{address}?limit=2&fields=label&cursor={first['next']}").json()

    assert first["data"] == [
        {"label": "c", "cause": "manual"},
        {"label": "b", "cause": "manual"},
    ]
    assert second["data"] == [{"label": "a"}, {"label": ""}]
    assert second["next"] == ""


def test_two_checkpoints_are_compared(program: Caller):
    session = made()
    taken(session, "one")
    remember(session, None)
    taken(session, "two")

    found = program.get(f"{SESSIONS}/desk/checkpoints/one/diff?to=two").json()

    assert found["memory"] == [{"name": "n", "before": 1, "after": None}]
    assert found["seq"] < found["to"]


def test_a_session_is_recovered(program: Caller):
    session = made()
    taken(session)
    remember(session, 2)
    lifecycle.stop(principal=OPERATOR, session=session)

    said = program.post(f"{SESSIONS}/desk/recover", {"checkpoint": "kept", "reason": "wrong"})

    found = said.json()
    assert (said.status_code, found["state"], found["previous_state"]) == (200, "paused", "stopped")
    assert (found["memory"], found["reason"]) == ({"n": 1}, "wrong")
    assert "recover" in found["allowed"]


def test_a_fork_is_made(program: Caller):
    session = made()
    taken(session)

    said = program.post(f"{SESSIONS}/desk/fork", {"key": "other", "effects": "stub"})

    found = said.json()
    assert (said.status_code, found["state"], found["key"]) == (201, "created", "other")
    assert (found["parent"], found["memory"]) == (str(session.pk), {"n": 1})
    assert said["Location"] == f"{SESSIONS}/{found['id']}"
    assert Session.objects.get(pk=found["id"]).fork.effects == "stub"


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("recover", {}, 400, "VALIDATION_ERROR"),
        ("recover", {"checkpoint": "other"}, 404, "CHECKPOINT_NOT_FOUND"),
        ("recover", {"checkpoint": "kept", "reason": "x" * 501}, 400, "VALIDATION_ERROR"),
        ("fork", {"checkpoint": "other"}, 404, "CHECKPOINT_NOT_FOUND"),
        ("fork", {"effects": "some"}, 400, "VALIDATION_ERROR"),
        ("fork", {"key": "desk"}, 409, "SESSION_ALREADY_EXISTS"),
        ("fork", {"replay": True}, 400, "VALIDATION_ERROR"),
        ("checkpoints", {"label": "x" * 201}, 400, "VALIDATION_ERROR"),
        ("checkpoints", {"label": "a\x00b"}, 400, "VALIDATION_ERROR"),
    ],
)
def test_what_cannot_be_is_refused(program: Caller, path: str, body: Any, status: int, word: str):
    taken(made())

    assert code(program.post(f"{SESSIONS}/desk/{path}", body)) == (status, word)


def test_a_running_session_is_not_recovered(program: Caller):
    session = made()
    taken(session)
    lifecycle.start(principal=OPERATOR, session=session)

    assert code(program.post(f"{SESSIONS}/desk/recover", {"checkpoint": "kept"})) == (
        400,
        "INVALID_STATE",
    )


def test_of_another_team_nothing_is_there():
    session = made()
    taken(session)
    stranger = caller(team="other")

    for path in ("checkpoints", "checkpoints/kept", "checkpoints/kept/diff"):
        assert code(stranger.get(f"{SESSIONS}/{session.pk}/{path}")) == (404, "SESSION_NOT_FOUND")
    for path in ("recover", "fork", "checkpoints"):
        body = {} if path == "checkpoints" else {"checkpoint": "kept"}
        said = stranger.post(f"{SESSIONS}/{session.pk}/{path}", body)
        assert code(said) == (404, "SESSION_NOT_FOUND")


def test_the_command_line_takes_lists_compares_and_removes(anywhere: Any):
    session = made()

    created = anywhere("checkpoint", "create", "desk", "--label", "kept", "--json")
    remember(session, 2)
    listed = anywhere("checkpoint", "list", "desk", "-q")
    shown = anywhere("checkpoint", "show", "desk", "kept", "--json")
    compared = anywhere("checkpoint", "diff", "desk", "kept")
    document = anywhere("checkpoint", "diff", "desk", "kept", "--json")
    removed = anywhere("checkpoint", "remove", "desk", "kept", "--yes", "-q")
    missed = anywhere("checkpoint", "show", "desk", "kept")

    name = created.document["data"]["id"]
    assert listed.out.split()[0] == name
    assert shown.document["data"]["memory"] == {"n": 1}
    assert compared.out.splitlines()[1].split() == ["memory", "n", "1", "2"]
    assert compared.out.splitlines()[-1].endswith("1 session.updated")
    assert document.document["data"]["memory"] == [{"name": "n", "before": 1, "after": 2}]
    assert removed.out.split() == [name]
    assert (missed.code, "aegis checkpoint list" in missed.err) == (3, True)


def test_the_command_line_recovers_and_forks(anywhere: Any):
    session = made()
    kept = taken(session)
    remember(session, 2)

    planned = anywhere("session", "recover", "desk", "kept", "--dry-run", "--json")
    recovered = anywhere("session", "recover", "desk", str(kept.pk)[:8], "--reason", "Wrong.")
    forked = anywhere("session", "fork", "desk", "kept", "--key", "other", "--effects", "live")
    nothing = anywhere("session", "fork", "desk", "nothing")

    assert [one["would"] for one in planned.document["data"]] == ["recover"]
    assert "‖ paused" in recovered.out
    assert nothing.code == 3
    assert forked.out == "○ created  other  Fork of desk\n"
    session.refresh_from_db()
    assert session.memory == {"n": 1}
    assert Session.objects.get(key="other").fork.effects == "live"
