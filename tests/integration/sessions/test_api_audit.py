import csv
import io
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync  # noqa: TID251 -- what a client does with a stream
from django.db import connection

from sessions.models import Session
from streaming.models import AuditEntry
from streaming.services import sealing
from tests import emptying, factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db

AUDIT = "/api/v1/audit"
OTHERS_SESSION = "other-desk"


@pytest.fixture
def auditor() -> Caller:
    """Somebody of team default who may read the audit and change sessions."""
    return caller(["audit:read", "sessions:read", "sessions:write", "sessions:control"])


@pytest.fixture
def desk(auditor: Caller) -> Session:
    """A session with two commands over HTTP, and nothing else in the audit."""
    found = factories.session(key="desk")
    factories.session(key=OTHERS_SESSION, team=factories.team("others"))
    emptying.forget_audit()
    auditor.post("/api/v1/sessions/desk/start", x_request_id="r-1")
    auditor.post("/api/v1/sessions/desk/pause", {"reason": "=1+1"}, x_request_id="r-3")
    return found


def listed(who: Caller, query: str = "") -> list[str]:
    return [one["command"] for one in who.get(f"{AUDIT}?{query}").json()["data"]]


def test_an_entry_says_who_asked_for_what_and_what_came_of_it(auditor: Caller, desk: Session):
    [found] = auditor.get(f"{AUDIT}?command=session.start").json()["data"]
    entry = AuditEntry.objects.get(command="session.start")

    assert auditor.get(f"{AUDIT}/{entry.pk}").json() == found
    assert found == {
        "id": entry.pk,
        "at": entry.at.isoformat().replace("+00:00", "Z"),
        "command": "session.start",
        "outcome": "ok",
        "code": "",
        "actor": entry.actor,
        "principal_id": entry.principal_id,
        "transport": "rest",
        "request_id": "r-1",
        "session": str(desk.pk),
        "session_key": "desk",
        "target": "desk",
        "detail": {"from": "created", "to": "running"},
        "place": None,
        "previous": "",
        "digest": "",
    }


@pytest.mark.parametrize(
    ("query", "commands"),
    [
        ("", ["session.pause", "session.start"]),
        ("command=session.*", ["session.pause", "session.start"]),
        ("command=session.pa*", ["session.pause"]),
        ("request_id=r-1", ["session.start"]),
        ("session=desk&transport=rest", ["session.pause", "session.start"]),
        ("session=nobody", []),
        ("text=DESK", ["session.pause", "session.start"]),
        ("text=.pau", ["session.pause"]),
        ("actor=credential:*&outcome=ok", ["session.pause", "session.start"]),
        ("actor=user:*", []),
        ("outcome=refused", []),
        ("since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z", []),
    ],
)
def test_a_list_is_narrowed(auditor: Caller, desk: Session, query: str, commands: list[str]):
    assert listed(auditor, query) == commands


def test_pages_follow_one_another(auditor: Caller, desk: Session):
    first = auditor.get(f"{AUDIT}?limit=1&fields=command,request_id").json()
    second = auditor.get(f"{AUDIT}?limit=1&cursor={first['next']}").json()

    assert first["data"] == [{"command": "session.pause", "request_id": "r-3"}]
    assert second["data"][0]["command"] == "session.start"
    assert second["next"] == ""


def test_a_refusal_that_names_a_session_by_its_id_is_of_that_session(
    auditor: Caller, desk: Session
):
    outsider = caller(["sessions:control"], team="others")
    outsider.post(f"/api/v1/sessions/{desk.pk}/stop", x_request_id="r-9")

    [found] = auditor.get(f"{AUDIT}?outcome=refused").json()["data"]

    assert (found["code"], found["session_key"]) == ("SESSION_NOT_FOUND", "desk")


def test_what_others_did_elsewhere_is_not_there(auditor: Caller, desk: Session):
    other = caller(["audit:read", "sessions:control"], team="others")
    other.post(f"/api/v1/sessions/{OTHERS_SESSION}/start")
    own = AuditEntry.objects.get(session=desk, command="session.start")

    assert listed(auditor, "command=session.start") == ["session.start"]
    assert code(other.get(f"{AUDIT}/{own.pk}")) == (404, "NOT_FOUND")
    assert [one["session_key"] for one in other.get(AUDIT).json()["data"]] == [OTHERS_SESSION]


@pytest.mark.parametrize("address", ["", "/1", "/verify", "/export"])
def test_without_the_scope_there_is_nothing(address: str):
    assert code(caller(["sessions:read"]).get(AUDIT + address)) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("reference", ["0", "-1", "x", "9" * 30, "²"])
def test_an_entry_that_is_not_there_is_not_found(auditor: Caller, reference: str):
    assert code(auditor.get(f"{AUDIT}/{reference}")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "query", ["since=yesterday", "since=0001-01-01T00:00:00Z", "outcome=maybe", "cursor=x", "x=1"]
)
def test_what_cannot_be_asked_is_refused(auditor: Caller, query: str):
    assert code(auditor.get(f"{AUDIT}?{query}")) == (400, "VALIDATION_ERROR")


def test_the_chain_is_proven_over_http(auditor: Caller, desk: Session):
    sealing.seal(lease_id=desk.pk)
    whole = auditor.get(f"{AUDIT}/verify").json()
    with connection.cursor() as cursor:
        for statement in emptying.guards().OPENED[connection.vendor]:
            cursor.execute(statement)
        cursor.execute("UPDATE aegis_streaming_auditentry SET actor = 'x' WHERE place = 2")

    broken = auditor.get(f"{AUDIT}/verify").json()
    rest = auditor.get(
        f"{AUDIT}/verify?after=2&kept_place={whole['place']}&kept_digest={whole['digest']}"
    ).json()

    entry = AuditEntry.objects.get(place=2)
    assert (whole["is_whole"], whole["fault"], whole["unsealed"]) == (True, None, 0)
    assert whole["sentence"].endswith("entries, chain whole")
    assert (broken["is_whole"], broken["fault"]["kind"]) == (False, "changed")
    assert (broken["fault"]["place"], broken["fault"]["entry"]) == (2, entry.pk)
    assert rest["is_whole"] is True
    assert code(auditor.get(f"{AUDIT}/verify?after=99")) == (404, "NOT_FOUND")


@pytest.mark.django_db(transaction=True)
def test_a_file_has_the_entries_that_a_list_has(auditor: Caller, desk: Session):
    answer = auditor.get(f"{AUDIT}/export?command=session.*")
    lines = [json.loads(one) for one in text(answer).splitlines()]

    assert answer["Content-Disposition"] == 'attachment; filename="audit.ndjson"'
    assert lines[::-1] == auditor.get(f"{AUDIT}?command=session.*").json()["data"]


@pytest.mark.django_db(transaction=True)
def test_a_table_runs_no_formula(auditor: Caller, desk: Session):
    Session.objects.filter(pk=desk.pk).update(key="desk")
    caller(["sessions:control"]).post("/api/v1/sessions/=cmd()/stop")

    rows = list(csv.DictReader(io.StringIO(text(caller().get(f"{AUDIT}/export?format=csv")))))
    told = list(csv.DictReader(io.StringIO(text(auditor.get(f"{AUDIT}/export?format=csv")))))

    assert [one["command"] for one in told] == ["session.start", "session.pause"]
    assert json.loads(told[1]["detail"])["reason"] == "=1+1"
    assert [one["target"] for one in rows if one["outcome"] == "refused"] == []
    assert [one["place"] for one in told] == ["", ""]


def text(answer: Any) -> str:
    async def read() -> str:
        return b"".join([part async for part in answer.streaming_content]).decode()

    return async_to_sync(read)()
