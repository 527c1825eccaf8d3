import re
from uuid import uuid4

import pytest

from aegis_project.database import run_db
from sessions.services import approvals
from tests import asking, factories
from tests.integration.admin.help import text
from tests.integration.admin.live import connected, cookie_of

pytestmark = pytest.mark.django_db(transaction=True)

INBOX = "/admin/aegis_sessions/approval/"


@pytest.fixture
def run(team):
    return asking.run(factories.session(key="desk", name="Desk"))


@pytest.fixture
def cookie(superuser):
    return cookie_of(superuser)


@pytest.fixture
def blind_cookie(person):
    return cookie_of(person("nobody"))


def decided(approval, *, approved: bool = False) -> None:
    approvals.decide(principal=factories.OPERATOR, approval=approval, approved=approved)


def claimed(approval) -> None:
    approvals.claim(principal=factories.OPERATOR, approval=approval)


async def test_count_is_told_at_first_and_whenever_it_changes(cookie, run):
    approval = await run_db(asking.approval, run)

    async with connected(cookie) as socket:
        await socket.say({"type": "waiting"})
        counts = [(await socket.frame("waiting"))["count"]]
        await run_db(asking.approval, run)
        counts.append((await socket.frame("waiting"))["count"])
        await run_db(decided, approval)
        counts.append((await socket.frame("waiting"))["count"])

    assert counts == [1, 2, 1]


async def test_counts_of_the_inbox_are_told_when_they_change(cookie, run):
    approval = await run_db(asking.approval, run)

    async with connected(cookie) as socket:
        await socket.say({"type": "inbox"})
        first = (await socket.frame("parts"))["parts"]
        await run_db(decided, approval)
        second = (await socket.frame("parts"))["parts"]

    assert list(first) == ["questions", "mine", "team", "today", "last"]
    assert (first["mine"], first["team"], first["today"], first["last"]) == ("0", "1", "none", "")
    assert (second["team"], second["today"]) == ("0", "1")
    assert "by operator." in second["last"]


async def test_rows_of_the_inbox_are_told_when_decided_and_new_ones_counted(cookie, run):
    approval = await run_db(asking.approval, run)

    async with connected(cookie) as socket:
        await socket.say({"type": "approvals", "ids": [str(approval.pk)]})
        first = await socket.frame("rows")
        await run_db(decided, approval)
        second = await socket.frame("rows")
        await run_db(asking.approval, run)
        third = await socket.frame("rows")

    assert list(first["rows"][str(approval.pk)]) == [
        "call_cell",
        "where_cell",
        "risk_cell",
        "state_cell",
        "left_cell",
        "claim_cell",
    ]
    assert sorted(second["rows"][str(approval.pk)]) == ["claim_cell", "left_cell", "state_cell"]
    assert "Rejected" in second["rows"][str(approval.pk)]["state_cell"]
    assert (first["others"], second["others"], third["others"]) == (0, 0, 1)


async def test_parts_of_a_card_are_told_when_they_look_different(cookie, run):
    approval = await run_db(asking.approval, run)

    async with connected(cookie) as socket:
        await socket.say({"type": "approval", "id": str(approval.pk)})
        first = await socket.frame("approval")
        await run_db(claimed, approval)
        second = await socket.frame("approval")
        await run_db(decided, approval)
        third = await socket.frame("approval")

    parts = ["queue", "head", "strip", "what", "situation", "who", "past"]
    assert (list(first["parts"]), first["is_open"]) == (parts, True)
    assert (sorted(second["parts"]), second["is_open"]) == (["head", "queue"], True)
    assert "This is with operator." in second["parts"]["head"]
    assert third["is_open"] is False
    assert "Rejected by operator" in third["parts"]["strip"]


async def test_card_that_is_out_of_sight_is_refused(cookie):
    async with connected(cookie) as socket:
        await socket.say({"type": "approval", "id": str(uuid4())})
        error = (await socket.frame("error"))["error"]

    assert error["code"] == "APPROVAL_NOT_FOUND"


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "waiting"},
        {"type": "approvals", "ids": []},
        {"type": "inbox"},
        {"type": "approval", "id": str(uuid4())},
    ],
)
async def test_who_may_not_read_approvals_is_refused(blind_cookie, frame):
    async with connected(blind_cookie) as socket:
        await socket.say(frame)
        error = (await socket.frame("error"))["error"]

    assert error["code"] == "PERMISSION_DENIED"


def test_sidebar_counts_what_waits_for_whoever_sees_the_inbox(client, superuser, person, run):
    client.force_login(superuser)
    none = client.get("/admin/aegis_sessions/session/").content.decode()
    asking.approval(run)
    one = client.get("/admin/aegis_sessions/session/").content.decode()
    client.force_login(person("viewer", "aegis_sessions.view_session"))
    blind = client.get("/admin/aegis_sessions/session/").content.decode()

    assert 'id="ae-waiting" data-count="0" hidden>' in none
    assert 'id="ae-waiting" data-count="1"><span>1</span>' in one
    assert "ae-waiting" not in blind


def test_empty_inbox_says_what_was_decided_last(client, superuser, run):
    client.force_login(superuser)
    first = text(client.get(INBOX))
    decided(asking.approval(run))
    second = text(client.get(INBOX))

    assert "Nothing waits for you" in first
    assert "Last decision" not in first
    assert re.search(r"Last decision \d\d:\d\d:\d\d , by operator\.", second)
