import re

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


@pytest.mark.parametrize("frame", [{"type": "waiting"}, {"type": "approvals", "ids": []}])
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
