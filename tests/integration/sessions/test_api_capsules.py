"""A session as one file over HTTP."""

import asyncio
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from components.services import credentials
from sessions.files.capsules import Reader
from sessions.models import Session
from sessions.services import capsule_logs, capsules, memory
from streaming.api import following
from streaming.models import AuditEntry, Log
from tests import factories, waiting
from tests.calling import SYSTEM, Caller, caller, code
from tests.factories import OPERATOR
from tests.integration.sessions.test_capsules import lived, removed

pytestmark = pytest.mark.django_db(transaction=True)

SESSIONS = "/api/v1/sessions"
READS = ["sessions:read", "events:read", "messages:read", "runs:read", "approvals:read"]


@pytest.fixture
def session() -> Session:
    return factories.session(key="desk", name="Desk", memory={"n": 1})


def downloaded(who: Caller, session: str = "desk") -> tuple[Any, bytes]:
    answer = who.get(f"{SESSIONS}/{session}/capsule")

    async def whole() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return answer, asyncio.run(whole())


def brought(who: Caller, raw: bytes, query: str = "", *, key: str = "") -> Any:
    """What bringing a capsule in is answered with."""
    return who.client.post(
        f"{SESSIONS}/import{query}",
        {"file": SimpleUploadedFile("desk.capsule", raw)},
        headers={**who.headers, **({"Idempotency-Key": key} if key else {})},
    )


def test_what_is_downloaded_makes_the_same_session_again(program: Caller):
    removed_one = lived()

    answer, raw = downloaded(program)
    removed(removed_one)
    made = brought(program, raw)

    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == 'attachment; filename="desk.capsule"'
    assert int(answer["Content-Length"]) == len(raw)
    assert answer["Aegis-Digest"] == Reader(io.BytesIO(raw)).manifest.digest
    shown = made.json()
    assert (made.status_code, shown["id"]) == (201, str(removed_one.pk))
    assert (shown["key"], shown["state"]) == ("desk", "stopped")
    assert made["Location"] == f"{SESSIONS}/{removed_one.pk}"
    assert downloaded(program)[0]["Aegis-Digest"] == answer["Aegis-Digest"]
    told = AuditEntry.objects.filter(command__startswith="session.").order_by("pk")
    asked = list(told.values_list("command", "outcome"))[-3:]
    assert asked == [("session.export", "ok"), ("session.import", "ok"), ("session.export", "ok")]


def test_a_key_is_asked_for_and_the_same_order_is_carried_out_once(
    program: Caller, session: Session
):
    _, raw = downloaded(program)

    first = brought(program, raw, "?key=again", key="once")
    second = brought(program, raw, "?key=again", key="once")
    taken = brought(program, raw, "?key=desk")

    assert first.json()["key"] == "again"
    assert (second.json()["id"], second["Idempotent-Replayed"]) == (first.json()["id"], "true")
    assert code(taken) == (409, "SESSION_ALREADY_EXISTS")
    assert Session.objects.count() == 2


def test_what_is_no_capsule_is_refused(program: Caller):
    assert code(brought(program, b"x")) == (400, "VALIDATION_ERROR")
    assert code(brought(program, b"x", "?keys=a")) == (400, "VALIDATION_ERROR")
    assert code(program.post(f"{SESSIONS}/import", {})) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_nobody_gets_or_brings_one_who_may_not_have_all_of_it(session: Session):
    Log.objects.create(session=session, name="prices.btc", epoch="e" * 16)

    for scope in ("topics:read", "events:read"):
        who = caller([one for one in [*READS, "topics:read"] if one != scope])
        assert code(who.get(f"{SESSIONS}/desk/capsule")) == (403, "PERMISSION_DENIED")
    issued = credentials.issue(
        principal=SYSTEM,
        name="narrow",
        scopes=[*READS, "topics:read"],
        patterns=["orders.*"],
        team_id=session.team_id,
    )
    narrow = Caller(issued.secret)
    assert code(narrow.get(f"{SESSIONS}/desk/capsule")) == (403, "PERMISSION_DENIED")
    other = caller([*READS, "topics:read"], team="other")
    assert code(other.get(f"{SESSIONS}/desk/capsule")) == (404, "SESSION_NOT_FOUND")
    # Nobody opens what comes from who may not bring it.
    assert code(brought(caller(["sessions:write"]), b"x")) == (403, "PERMISSION_DENIED")


class Busy(io.BytesIO):
    """A file during the first line of which somebody writes to the session, and is not kept."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._has_begun = False

    def write(self, piece: Any) -> int:
        if not self._has_begun:
            self._has_begun = True
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(self._remember).result()
        return super().write(piece)

    def _remember(self) -> None:
        try:
            memory.remember(principal=OPERATOR, session=self._session, key="n", value=2)
        finally:
            connection.close()


def test_it_is_of_one_moment_and_nobody_waits_for_it(session: Session):
    file = Busy(session)

    manifest = capsules.export(principal=OPERATOR, session=session, file=file).manifest

    found = Reader(file)
    [row] = found.rows("session")
    assert row["memory"] == {"n": 1}
    assert len(list(found.rows("events"))) == manifest.head
    assert factories.ledger(session)[-1].seq == manifest.head + 1


def following_it(who: Caller, raw: bytes, query: str = "", *, key: str = "") -> Any:
    """An answer in lines that nobody has read yet."""
    return who.client.post(
        f"{SESSIONS}/import{query}",
        {"file": SimpleUploadedFile("desk.capsule", raw)},
        headers={
            **who.headers,
            "Accept": "application/x-ndjson",
            **({"Idempotency-Key": key} if key else {}),
        },
    )


def followed(who: Caller, raw: bytes, query: str = "", *, key: str = "") -> list[dict[str, Any]]:
    """The lines that bringing a capsule in is answered with."""
    answer = following_it(who, raw, query, key=key)

    async def whole() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in asyncio.run(whole()).splitlines()]


def test_how_far_it_is_comes_in_lines_and_its_answer_is_the_last(program: Caller):
    removed_one = lived()
    _, raw = downloaded(program)
    removed(removed_one)
    found = Reader(io.BytesIO(raw))
    size = sum(one.size for one in found.manifest.members.values())

    *lines, last = followed(program, raw)

    assert {"stage": "proven", "done": size, "total": size} in lines
    assert lines[-1] == {"stage": "rows", "done": found.row_count, "total": found.row_count}
    assert (last["status"], last["data"]["id"]) == (201, str(removed_one.pk))
    shown = program.get(f"{SESSIONS}/{removed_one.pk}").json()
    assert last["data"] == {**shown, "previous_state": "stopped"}


def test_what_was_followed_is_kept_by_its_key_like_any_answer(program: Caller, session: Session):
    _, raw = downloaded(program)

    first = followed(program, raw, "?key=again", key="once")[-1]
    [again] = followed(program, raw, "?key=again", key="once")
    plain = brought(program, raw, "?key=again", key="once")

    assert again == {**first, "replayed": True}
    assert (plain.status_code, plain.json()) == (201, first["data"])
    assert Session.objects.count() == 2


def test_what_is_refused_on_the_way_is_the_last_line(program: Caller, session: Session):
    _, raw = downloaded(program)

    taken = followed(program, raw, "?key=desk")[-1]
    broken = followed(program, b"x")
    narrow = followed(caller(["sessions:write"]), raw)

    assert (taken["status"], taken["error"]["code"]) == (409, "SESSION_ALREADY_EXISTS")
    assert [one["error"]["code"] for one in broken] == ["VALIDATION_ERROR"]
    assert [one["status"] for one in narrow] == [403]
    assert Session.objects.count() == 1


def test_what_nobody_expected_is_told_and_leaves_nothing(program: Caller, session, monkeypatch):
    _, raw = downloaded(program)

    def fails(*_given: Any) -> None:
        raise RuntimeError("It is broken.")

    monkeypatch.setattr(capsule_logs, "write", fails)
    last = followed(program, raw, key="once")[-1]
    monkeypatch.undo()
    again = followed(program, raw, key="once")[-1]

    assert (last["status"], last["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert again["status"] == 201
    assert Session.objects.count() == 2


def test_who_waits_without_news_hears_that_it_goes_on(program: Caller, session, monkeypatch):
    _, raw = downloaded(program)
    heard = threading.Event()
    write = capsule_logs.write

    def waits(*given: Any) -> None:
        assert heard.wait(waiting.SECONDS)
        write(*given)

    monkeypatch.setattr(following, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(capsule_logs, "write", waits)
    answer = following_it(program, raw)

    async def whole() -> list[bytes]:
        lines: list[bytes] = []
        async for line in answer.streaming_content:
            if line in lines:
                heard.set()
            lines.append(line)
        return lines

    lines = asyncio.run(whole())

    assert len(set(lines)) < len(lines)
    assert json.loads(lines[-1])["status"] == 201


def test_what_a_cut_connection_leaves_goes_on_to_its_end(program: Caller, session, monkeypatch):
    _, raw = downloaded(program)
    is_cut, is_over = threading.Event(), threading.Event()
    last = following._last

    def cut_first(*given: Any) -> bytes:
        assert is_cut.wait(waiting.SECONDS)
        try:
            return last(*given)
        finally:
            is_over.set()

    monkeypatch.setattr(following, "_last", cut_first)
    monkeypatch.setattr(following, "BEAT_SECONDS", 0.01)
    answer = following_it(program, raw, key="once")

    async def begin() -> bytes:
        lines = aiter(answer.streaming_content)
        first: bytes = await anext(lines)
        await lines.aclose()
        return first

    assert json.loads(asyncio.run(begin()))["stage"] == "waiting"
    answer.close()
    is_cut.set()
    assert is_over.wait(waiting.SECONDS)

    monkeypatch.undo()
    [again] = followed(program, raw, key="once")
    assert (again["status"], again["replayed"]) == (201, True)
    assert Session.objects.count() == 2
