"""Daemons that listen on the bus of seed 003, and what they know together."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from aegis_project.database import run_db
from aegis_project.kit.moments import stamp
from components.core.lifecycle import Role
from components.services.registry import Expected
from sessions.core.lifecycle import Kind, State
from sessions.dialects.bus import registry, shapes
from sessions.dialects.bus.registry import BusEvent, Daemon
from sessions.files import folders
from sessions.jobs import Sandboxes
from sessions.models import Session
from sessions.services import artifacts, conversation, lifecycle
from sessions.services.conversation import Utterance
from streaming.hub import Hub
from streaming.node import Node
from tests import factories
from tests.calling import Caller

pytestmark = [pytest.mark.dialects, pytest.mark.django_db(transaction=True)]

JOEL = {"type": "development", "owner": "human-joel"}


def send(program: Caller, daemon: str, type_: str, data: Any = None) -> Any:
    return program.post(f"/bus/{daemon}", {"type": type_, "data": data or {}}).json()


def created(program: Caller, **more: Any) -> dict[str, str]:
    return {"sessionId": send(program, "session", "create", JOEL | more)["data"]["sessionId"]}


def sandbox(session_id: object) -> Path:
    return Path(storages["sessions"].path(str(session_id)))


def written(session_id: object, name: str = "notes/a.md", content: bytes = b"# A") -> Any:
    return artifacts.create(
        principal=factories.OPERATOR, session=str(session_id), name=name, content=content
    )


# Sandboxes and files


def test_a_sandbox_is_made_with_a_session_and_removed_with_it(program: Caller):
    named = created(program)
    place = sandbox(named["sessionId"])
    is_made = (place / "artifacts").is_dir()

    said = send(program, "directory", "get", named)
    send(program, "session", "end", named)

    assert is_made
    assert said["data"]["sandboxPath"] == named["sessionId"]
    assert not place.exists()
    assert send(program, "directory", "get", named)["error"] == "Session not found"


async def test_a_sweep_removes_empty_sandboxes_that_nobody_was_left_to_remove():
    over, open_, full = [await run_db(factories.session) for _ in range(3)]
    await run_db(written, full.pk)
    for one in (over, full):
        await run_db(partial(lifecycle.end, principal=factories.OPERATOR, session=one))
    for one in (over, open_, full):
        folders.make(one.pk, "artifacts")

    await Sandboxes().run(Node(hub=Hub(), jobs=[]))

    assert [sandbox(one.pk).exists() for one in (over, open_, full)] == [False, True, True]


@pytest.mark.parametrize("verb", ["end", "complete", "delete"])
def test_a_session_from_anywhere_has_a_sandbox(verb: str):
    made = factories.session()
    place = sandbox(made.pk)
    is_made = place.is_dir()

    getattr(lifecycle, verb)(principal=factories.OPERATOR, session=made)

    assert (is_made, place.exists()) == (True, False)


def test_what_is_in_a_sandbox_stays_as_long_as_its_rows(program: Caller):
    named = created(program)
    one = written(named["sessionId"])

    send(program, "session", "end", named)

    assert Path(storages["sessions"].path(one.path)).read_bytes() == b"# A"


def test_the_index_has_the_newest_of_each_file(program: Caller):
    named = created(program)
    empty = send(program, "artifact", "get", named)["data"]["artifacts"]
    written(named["sessionId"])
    newest = written(named["sessionId"], content=b"# B!")

    found = send(program, "artifact", "get", named)["data"]["artifacts"]

    assert empty == {}
    assert found == {
        "notes/a.md": {
            "id": str(newest.pk),
            "path": f"{named['sessionId']}/notes/a.md",
            "version": 2,
            "contentType": newest.content_type,
            "size": 4,
            "created": stamp(newest.created_at),
        }
    }


def test_no_place_on_the_server_is_told(program: Caller):
    named = created(program)
    written(named["sessionId"])
    root = str(Path(storages["sessions"].path("")))

    for daemon, type_ in [
        ("directory", "get"),
        ("artifact", "get"),
        ("router", "context"),
        ("chat", "context"),
    ]:
        answer = program.post(f"/bus/{daemon}", {"type": type_, "data": named})
        assert answer.json()["success"] is True
        assert root not in answer.content.decode()


# Contexts


def test_a_context_is_joined_from_its_parts(program: Caller):
    named = created(program, type="test", owner="ai-claude")
    written(named["sessionId"])

    said = send(program, "router", "context", named)["data"]

    session = send(program, "session", "get", named)["data"]
    index = send(program, "artifact", "get", named)["data"]["artifacts"]
    assert said == {
        "sessionId": named["sessionId"],
        "session": {
            "id": named["sessionId"],
            "type": "test",
            "owner": "ai-claude",
            "created": session["created"],
            "sandboxPath": named["sessionId"],
            "artifacts": index,
            "transport": "HTTP",
        },
        "aegisState": "running",
        "conditions": [],
    }


def test_people_agents_and_personas_are_in_one_session(program: Caller):
    made = factories.session(kind=Kind.CHAT, agent="assistant", owner_label="shared")
    for label in ("ann", "ai-claude", "ann"):
        principal = factories.member(made.team, label=label)
        conversation.say(principal=principal, session=made, draft=Utterance(content="Hello"))
    written(made.pk)
    named = {"sessionId": str(made.pk)}

    said = send(program, "chat", "context", named)["data"]["session"]

    assert said == {
        "id": str(made.pk),
        "participants": ["ai", "ai", "human"],
        "sandboxDirectory": str(made.pk),
        "artifactPaths": {"notes/a.md": f"{made.pk}/notes/a.md"},
    }


def test_who_only_listens_or_works_takes_part_as_well(program: Caller):
    expected = [Expected(name="critic", role=Role.AGENT), Expected(name="feed")]
    made = factories.session(expected=expected, owner_label="persona-sage")

    said = send(program, "chat", "participants", {"sessionId": str(made.pk)})["data"]

    assert said == {"participants": ["persona", "ai"], "aegisState": "created", "conditions": []}


# A daemon of one's own


class Clock:
    """A daemon that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []

    def listen(self, event: BusEvent) -> None:
        self.heard.append((event.type, event.data))

    def fall(self, event: BusEvent) -> None:
        raise RuntimeError(event.type)


@pytest.fixture
def clock() -> Iterator[Clock]:
    found = Clock()
    hears = {"session_created": found.listen, "session_ended": found.listen}
    messages = {"time": lambda _principal, data: shapes.done({"zone": data.get("zone", "UTC")})}
    registry.register(Daemon("clock", messages=messages, hears=hears))
    yield found
    registry.unregister("clock")


def test_a_registered_daemon_answers_and_is_known(program: Caller, clock: Clock):
    said = send(program, "clock", "time", {"zone": "CET"})
    known = send(program, "router", "daemons")["data"]

    assert said == {"success": True, "data": {"zone": "CET"}}
    assert known == {
        "artifact": ["get"],
        "chat": ["context", "participants"],
        "clock": ["time"],
        "directory": ["get"],
        "router": ["context", "daemons"],
        "session": ["activate", "create", "deactivate", "end", "get", "list"],
    }


def test_listeners_hear_of_sessions_from_anywhere(program: Caller, clock: Clock):
    named = created(program)
    metadata = send(program, "session", "get", named)["data"]
    send(program, "session", "end", named)
    other = factories.session_in(State.COMPLETED)

    created_other = clock.heard[2][1]
    assert clock.heard[:2] == [("session_created", named | metadata), ("session_ended", named)]
    assert (created_other["sessionId"], created_other["id"]) == (str(other.pk), str(other.pk))
    assert clock.heard[3:] == [("session_ended", {"sessionId": str(other.pk)})]


def test_a_session_that_was_not_made_is_not_told(clock: Clock):
    with pytest.raises(Exception, match="name"):
        factories.session(name="x" * 500)

    assert clock.heard == []


def test_a_listener_that_fails_keeps_no_other_from_hearing(
    program: Caller, caplog: pytest.LogCaptureFixture
):
    late = Clock()
    registry.register(Daemon("fall", messages={}, hears={"session_created": late.fall}))
    registry.register(Daemon("late", messages={}, hears={"session_created": late.listen}))
    try:
        named = created(program)
    finally:
        registry.unregister("fall")
        registry.unregister("late")

    assert [one for one, _ in late.heard] == ["session_created"]
    assert Session.objects.get(pk=named["sessionId"]).state == "running"
    assert [one.message for one in caplog.records] == ["A daemon failed to listen"]


def test_a_name_is_taken_once(clock: Clock):
    with pytest.raises(ValueError, match="clock"):
        registry.register(Daemon("clock", messages={}))
