import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from aegis_project.database import atomic, run_db
from components.services import credentials
from sessions.core.lifecycle import State
from sessions.dialects import session_socket
from sessions.dialects.session_socket import SessionConsumer
from sessions.models import Approval, Message, Run, Session
from sessions.services import lifecycle
from streaming import node as nodes
from streaming.core import position
from streaming.core.errors import CloseCode
from streaming.engines.memory import MemoryEngine
from streaming.engines.rows import RowEngine
from streaming.hub import Hub
from streaming.models import Log
from streaming.node import Node
from streaming.services import ledger
from tests import asking, factories
from tests.calling import SYSTEM, caller

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 20.0
NOBODY = "00000000-0000-0000-0000-000000000000"
OWN = {"origin": "http://desk:8000"}


@pytest.fixture(autouse=True)
async def node() -> AsyncIterator[Node]:
    running = Node(hub=Hub(engines=[RowEngine(), MemoryEngine()]), jobs=[])
    await running.start()
    nodes.install(running)
    yield running
    nodes.install(None)
    await running.stop()


class Socket:
    """A client's side."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def event(self) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            return await self.outgoing.get()

    async def frame(self, kind: str) -> dict[str, Any]:
        """The next frame of this type; events may come before it."""
        while True:
            event = await self.event()
            assert event["type"] == "websocket.send", event
            frame: dict[str, Any] = json.loads(event["text"])
            if frame["type"] == kind:
                return frame
            assert frame["type"] in {"connected", "event", "update"}, frame

    async def events(self, count: int) -> list[dict[str, Any]]:
        return [await self.frame("event") for _ in range(count)]

    async def closed(self) -> int:
        """The code that the server closes with."""
        while (event := await self.event())["type"] != "websocket.close":
            pass
        return int(event["code"])

    async def say(self, raw: Any) -> None:
        text = raw if isinstance(raw, str) else json.dumps(raw)
        await self.incoming.put({"type": "websocket.receive", "text": text})

    async def ask(self, frame: dict[str, Any], kind: str) -> dict[str, Any]:
        """What a frame is answered with."""
        await self.say({"ref": "r", **frame})
        answer = await self.frame(kind)
        assert answer.pop("ref") == "r"
        return answer


@asynccontextmanager
async def connected(
    reference: object = "k",
    *,
    token: str = "",
    after: str = "",
    updates: str = "",
    **headers: str,
) -> AsyncIterator[Socket]:
    """Connect; with a token in the first frame."""
    socket = Socket()
    headers = {"host": "desk:8000", **headers}
    scope = {
        "type": "websocket",
        "path": f"/ws/sessions/{reference}",
        "scheme": "ws",
        "query_string": b"" if token else f"after={after}&updates={updates}".encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "url_route": {"kwargs": {"session": str(reference)}},
    }
    await socket.incoming.put({"type": "websocket.connect"})
    if token:
        said = {"token": token, "after": after, "updates": updates}
        await socket.say({"type": "authenticate", **said})
    task = asyncio.create_task(SessionConsumer()(scope, socket.incoming.get, socket.outgoing.put))
    assert (await socket.event())["type"] == "websocket.accept"
    try:
        yield socket
    finally:
        await socket.incoming.put({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(SECONDS):
            await task


def secret(*scopes: str, team: str = "default") -> str:
    found = caller(scopes, team=team) if scopes else caller(team=team)
    return found.headers["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def token() -> str:
    return secret()


@pytest.fixture
def session() -> Session:
    return factories.session(key="k")


@pytest.fixture
def cookie() -> str:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return f"sessionid={client.cookies['sessionid'].value}"


def write(session: Session, *types: str) -> None:
    with atomic():
        for one in types:
            ledger.append(session_id=session.pk, type=one, actor="system:test")


# Who is let in


async def test_who_shows_a_token_first_is_told_where_it_is(session: Session, token: str):
    async with connected(token=token) as socket:
        frame = await socket.frame("connected")

    assert len(frame.pop("connection_id")) == 36
    assert frame == {
        "type": "connected",
        "session_id": str(session.pk),
        "state": "created",
        "actor": "credential:default",
        "head": 1,
        "after": 1,
        "heartbeat_seconds": 15.0,
    }


async def test_a_header_or_a_cookie_of_our_own_page_will_do(
    session: Session, token: str, cookie: str
):
    for headers in ({"authorization": f"Bearer {token}"}, {"cookie": cookie, **OWN}):
        async with connected(session.pk, **headers) as socket:
            assert (await socket.frame("connected"))["session_id"] == str(session.pk)


@pytest.mark.parametrize("origin", ["http://elsewhere:8000", "http://desk:9000", "null", ""])
@pytest.mark.usefixtures("session")
async def test_a_cookie_from_another_page_counts_for_nothing(
    cookie: str, origin: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session_socket, "FIRST_FRAME_SECONDS", 0.05)

    async with connected(cookie=cookie, origin=origin) as socket:
        assert (await socket.frame("error"))["error_code"] == "HELLO_MISSING"
        assert await socket.closed() == CloseCode.NO_HELLO


@pytest.mark.parametrize(
    ("scopes", "team", "reference", "code"),
    [
        (["events:read"], "strangers", "k", CloseCode.NO_SESSION),
        (["events:read"], "default", "other", CloseCode.NO_SESSION),
        (["events:read"], "default", "\x00", CloseCode.NO_SESSION),
        (["messages:write"], "default", "k", CloseCode.FORBIDDEN),
    ],
)
@pytest.mark.usefixtures("session")
async def test_who_may_not_is_turned_away(scopes: list[str], team: str, reference: str, code: int):
    shown = await run_db(secret, *scopes, team=team)

    async with connected(reference, token=shown) as socket:
        assert await socket.closed() == code


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"type": "authenticate", "token": "aeg_nonsense"}, CloseCode.BAD_TOKEN),
        ({"type": "heartbeat"}, CloseCode.BAD_TOKEN),
        ({"type": "authenticate"}, CloseCode.PROTOCOL),
        ({"type": "other"}, CloseCode.PROTOCOL),
        ([], CloseCode.PROTOCOL),
        ("{", CloseCode.PROTOCOL),
        ("[" * 100_000, CloseCode.PROTOCOL),
        ('"' + "x" * (2 * 1024 * 1024) + '"', CloseCode.FRAME_TOO_LARGE),
    ],
)
@pytest.mark.usefixtures("session")
async def test_a_first_frame_that_says_nothing_closes(first: Any, code: int):
    async with connected() as socket:
        await socket.say(first)

        assert await socket.closed() == code


async def test_who_is_not_allowed_any_more_is_sent_away(
    session: Session, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session_socket, "CHECK_SECONDS", 0.05)
    issued = await run_db(
        lambda: credentials.issue(
            principal=SYSTEM, name="one", scopes=["events:read"], team_id=session.team_id
        )
    )

    async with connected(token=issued.secret) as socket:
        await socket.frame("connected")
        await run_db(
            lambda: credentials.revoke(principal=SYSTEM, credential=str(issued.credential.pk))
        )

        assert await socket.closed() == CloseCode.BAD_TOKEN


# The ledger


async def test_events_come_as_they_are_written_each_with_its_position(session: Session, token: str):
    async with connected(token=token) as socket:
        await socket.frame("connected")
        await run_db(write, session, "a.b", "c.d")
        found = await socket.events(2)

    log = await run_db(Log.objects.get, session=session, name="ledger")
    rows = await run_db(factories.ledger, session)
    assert [one["payload"] for one in found] == [json.loads(row.body) for row in rows[1:]]
    assert [one["position"] for one in found] == [
        f"{log.epoch}:{row.seq}:{row.ck}" for row in rows[1:]
    ]


@pytest.mark.parametrize("form", ["number", "position"])
async def test_a_client_that_comes_back_gets_what_it_missed_once(
    session: Session, token: str, form: str
):
    async with connected(token=token, after="0") as socket:
        first = (await socket.events(1))[0]
    await run_db(write, session, *[f"a.{number}" for number in range(300)])

    after = first["position"] if form == "position" else str(first["payload"]["seq"])
    async with connected(token=token, after=after) as socket:
        missed = await socket.events(300)
        await run_db(write, session, "b.b")
        [live] = await socket.events(1)

    assert [one["payload"]["seq"] for one in missed] == list(range(2, 302))
    assert live["payload"]["type"] == "b.b"


@pytest.mark.usefixtures("session")
async def test_a_position_that_the_ledger_does_not_know_is_told(token: str):
    strange = position.Position("0" * 16, 1, bytes(8))

    async with connected(token=token, after=str(strange)) as socket:
        await socket.frame("connected")
        notice = (await socket.frame("notice"))["notice"]

    assert notice["kind"] in {"gap", "unknown"}


@pytest.mark.parametrize("after", ["x", "-1", "1:2", "9" * 30])
@pytest.mark.usefixtures("session")
async def test_a_place_that_cannot_be_is_refused(token: str, after: str):
    async with connected(token=token, after=after) as socket:
        assert await socket.closed() == CloseCode.PROTOCOL


async def test_a_session_that_ends_is_told_and_closes(
    session: Session, token: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session_socket, "CHECK_SECONDS", 0.05)
    async with connected(token=token) as socket:
        await socket.frame("connected")
        await run_db(lifecycle.end, principal=factories.OPERATOR, session=session)

        assert (await socket.frame("event"))["payload"]["type"] == "session.ended"
        assert await socket.closed() == CloseCode.SESSION_OVER


async def test_the_ledger_of_a_closed_session_is_still_read(
    token: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session_socket, "CHECK_SECONDS", 0.05)
    closed = await run_db(factories.session_in, State.ENDED)

    async with connected(closed.pk, token=token, after="0") as socket:
        found = await socket.events(2)
        assert await socket.closed() == CloseCode.SESSION_OVER

    assert [one["payload"]["type"] for one in found] == ["session.created", "session.ended"]


# Updates for clients of seed 001


def shown(session: Session) -> Any:
    """The session as seed 001 reads it."""
    return caller().get(f"/api/v1/agent-sessions/{session.pk}").json()


@pytest.mark.parametrize("is_in_frame", [True, False])
async def test_the_session_of_seed_001_comes_at_once_and_anew_as_it_moves(
    session: Session, token: str, *, is_in_frame: bool
):
    way = {"token": token} if is_in_frame else {"authorization": f"Bearer {token}"}

    async with connected(updates="agent-session", **way) as socket:
        first = (await socket.frame("update"))["session"]
        await run_db(lifecycle.start, principal=factories.OPERATOR, session=session)
        moved = (await socket.frame("update"))["session"]
        done = {"metricsCollected": 100}
        await run_db(lifecycle.complete, principal=factories.OPERATOR, session=session, result=done)
        last = (await socket.frame("update"))["session"]
        code = await socket.closed()

    assert [one["state"] for one in (first, moved, last)] == ["init", "running", "completed"]
    assert last == await run_db(shown, session)
    assert code == CloseCode.SESSION_OVER


async def test_a_deletion_is_told_as_its_end(session: Session, token: str):
    async with connected(updates="agent-session", token=token) as socket:
        await socket.frame("update")
        await run_db(lifecycle.delete, principal=factories.OPERATOR, session=session)

        assert (await socket.frame("update"))["session"]["aegisState"] == "ended"


async def test_what_the_seed_does_not_show_is_no_update(session: Session, token: str):
    async with connected(updates="agent-session", token=token) as socket:
        await socket.frame("update")
        await run_db(write, session, "a.b")
        event = json.loads((await socket.event())["text"])
        await run_db(write, session, "session.updated")
        rest = [json.loads((await socket.event())["text"]) for _ in range(2)]

    assert event["payload"]["type"] == "a.b"
    assert [one["type"] for one in rest] == ["event", "update"]


@pytest.mark.usefixtures("session")
async def test_updates_need_the_right_to_read_sessions():
    shown = await run_db(secret, "events:read")

    async with connected(updates="agent-session", token=shown) as socket:
        assert await socket.closed() == CloseCode.FORBIDDEN


@pytest.mark.parametrize("is_in_frame", [True, False])
@pytest.mark.usefixtures("session")
async def test_updates_that_there_are_not_are_refused(token: str, *, is_in_frame: bool):
    way = {"token": token} if is_in_frame else {"authorization": f"Bearer {token}"}

    async with connected(updates="weather", **way) as socket:
        assert await socket.closed() == CloseCode.PROTOCOL


# What is said


async def test_a_message_is_said_and_seen_by_everybody(session: Session, token: str):
    async with connected(token=token) as mine, connected(token=token) as other:
        await other.frame("connected")
        await mine.frame("connected")
        answer = await mine.ask({"type": "message", "content": "Hello"}, "accepted")
        seen = (await other.frame("event"))["payload"]

    message = await run_db(Message.objects.get)
    assert answer == {"type": "accepted", "message_id": str(message.pk), "run_id": None}
    assert (seen["type"], seen["data"]["preview"]) == ("message.created", "Hello")
    assert session.pk == message.session_id


async def test_a_decision_is_made_by_whoever_is_there(session: Session, token: str):
    def prepare() -> Approval:
        return asking.approval(asking.run(session))

    approval = await run_db(prepare)
    frame = {"type": "approval", "approval_id": str(approval.pk), "approved": False}
    async with connected(token=token) as socket:
        await socket.frame("connected")
        decided = await socket.ask({**frame, "feedback": "No."}, "accepted")
        again = await socket.ask(frame, "error")

    row = await run_db(Approval.objects.get)
    assert decided == {"type": "accepted", "approval_id": str(row.pk), "state": "rejected"}
    assert (row.state, row.reason, row.transport) == ("rejected", "No.", "session-socket")
    assert row.decided_by == "credential:default"
    assert again["error_code"] == "APPROVAL_ALREADY_DECIDED"


async def test_an_approval_of_another_session_is_not_there(session: Session, token: str):
    def prepare() -> Approval:
        return asking.approval(asking.run(factories.session()))

    approval = await run_db(prepare)
    async with connected(token=token) as socket:
        await socket.frame("connected")
        found = await socket.ask(
            {"type": "approval", "approval_id": str(approval.pk), "approved": True}, "error"
        )

    assert found["error_code"] == "APPROVAL_NOT_FOUND"
    assert session.pk != approval.session_id


async def test_a_cancel_ends_the_open_runs_and_what_they_asked(session: Session, token: str):
    def prepare() -> Run:
        run = asking.run(session)
        asking.approval(run)
        return run

    run = await run_db(prepare)
    async with connected(token=token) as socket:
        await socket.frame("connected")
        nothing = await socket.ask({"type": "cancel", "run_id": NOBODY}, "error")
        done = await socket.ask({"type": "cancel", "reason": "enough"}, "cancelled")

    await run_db(run.refresh_from_db)
    assert nothing["error_code"] == "RUN_NOT_FOUND"
    assert done == {
        "type": "cancelled",
        "runs": [str(run.pk)],
        "cancelled_approvals": 1,
        "reason": "enough",
    }
    assert run.state == "cancelled"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "message", "content": ""}, "INVALID_MESSAGE"),
        ({"type": "message", "content": "x" * 100_001}, "MESSAGE_TOO_LONG"),
        ({"type": "message", "content": "x", "metadata": {"a": 1e300}}, "VALIDATION_ERROR"),
        ({"type": "message", "content": "x", "attachments": [NOBODY]}, "ATTACHMENT_NOT_FOUND"),
        ({"type": "message"}, "VALIDATION_ERROR"),
        ({"type": "approval", "approval_id": "x", "approved": True}, "VALIDATION_ERROR"),
        ({"type": "approval", "approval_id": NOBODY, "approved": True}, "APPROVAL_NOT_FOUND"),
        ({"type": "authenticate", "token": "x"}, "VALIDATION_ERROR"),
        ({"type": "typing"}, "VALIDATION_ERROR"),
        ({"type": ["message"]}, "VALIDATION_ERROR"),
        ({}, "VALIDATION_ERROR"),
    ],
)
@pytest.mark.usefixtures("session")
async def test_what_is_refused_is_said_and_closes_nothing(
    token: str, frame: dict[str, Any], code: str
):
    async with connected(token=token) as socket:
        await socket.frame("connected")
        found = await socket.ask(frame, "error")
        alive = await socket.ask({"type": "heartbeat"}, "heartbeat")

    assert (found["error_code"], alive) == (code, {"type": "heartbeat"})


@pytest.mark.usefixtures("session")
async def test_who_may_only_read_says_nothing():
    reader = await run_db(secret, "events:read")

    async with connected(token=reader) as socket:
        await socket.frame("connected")
        found = [
            await socket.ask(frame, "error")
            for frame in ({"type": "message", "content": "x"}, {"type": "cancel"})
        ]

    assert [one["error_code"] for one in found] == ["PERMISSION_DENIED"] * 2


@pytest.mark.usefixtures("session")
async def test_a_flood_of_frames_closes(token: str, settings: Any):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"control_frames_per_second": 1.0}
    )
    async with connected(token=token) as socket:
        await socket.frame("connected")
        for _ in range(5):
            await socket.say({"type": "heartbeat"})

        assert await socket.closed() == CloseCode.RATE_LIMITED


@pytest.mark.usefixtures("session")
async def test_the_server_beats(token: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session_socket, "BEAT_SECONDS", 0.05)

    async with connected(token=token) as socket:
        await socket.frame("connected")
        assert await socket.frame("heartbeat") == {"type": "heartbeat"}
