import re
from datetime import timedelta

import pytest
from django.utils import timezone

from components import auth
from sessions.core.tool_calls import Risk
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.services import approvals
from tests import asking, factories
from tests.asking import Asking
from tests.integration.admin.help import text

INBOX = "/admin/aegis_sessions/approval/"


@pytest.fixture
def admin(client, superuser):
    client.force_login(superuser)
    return client


@pytest.fixture
def run(team):
    return asking.run(factories.session(key="desk", name="Desk"))


def rows(answer) -> list[str]:
    return re.findall(r'data-row="([^"]+)"', answer.content.decode())


def test_card_alone_is_that_of_its_page(admin, run):
    approval = asking.approval(run)

    alone = admin.get(f"{INBOX}{approval.pk}/card/")
    page = admin.get(f"{INBOX}{approval.pk}/change/").content.decode()

    shown = alone.content.decode()
    assert alone.status_code == 200
    assert shown.lstrip().startswith('<div class="ae-card"')
    for part in ("ae-decision", "ae-bar", "ae-situation", "ae-past"):
        assert (f'id="{part}"' in shown, f'id="{part}"' in page) == (True, True)
    assert ('id="ae-keys"' in shown, 'id="ae-keys"' in page) == (False, True)


def test_card_alone_that_is_out_of_sight_is_a_refusal_in_words(admin, client, person, run):
    approval = asking.approval(run)

    missing = admin.get(f"{INBOX}{run.pk}/card/")
    client.force_login(person("nobody"))
    refused = client.get(f"{INBOX}{approval.pk}/card/")

    assert (missing.status_code, refused.status_code) == (404, 403)
    assert "APPROVAL_NOT_FOUND" in text(missing)


def test_card_in_the_address_of_the_inbox_narrows_nothing(admin, run):
    approval, other = asking.approval(run), asking.approval(run)

    shown = admin.get(f"{INBOX}?card={approval.pk}")

    assert set(rows(shown)) == {str(approval.pk), str(other.pk)}
    assert "card=" not in shown.content.decode()


@pytest.mark.parametrize(
    ("order", "expected"),
    [("", ["low", "high", "medium"]), ("Risk", ["high", "medium", "low"])],
)
def test_inbox_stands_by_expiry_or_the_riskiest_first(admin, run, order, expected):
    made = {}
    for seconds, risk in ((60, Risk.LOW), (120, Risk.HIGH), (180, Risk.MEDIUM)):
        call = asking.asked(run, risk=risk)
        made[str(asking.approval(run, call=call, seconds=seconds).pk)] = risk.value

    found = admin.get(INBOX)
    if order:
        link = re.search(rf'href="(\?o=[^"]+)"[^>]*>\s*{order}\s*</a>', found.content.decode())
        assert link
        found = admin.get(INBOX + link[1])

    assert [made[pk] for pk in rows(found)] == expected
    assert f"Sorted by {order.lower() or 'expiry'}." in text(found)


@pytest.mark.parametrize("query", ["agent=trader", "tool=orders.place", "session=desk"])
def test_inbox_is_narrowed_to_agent_tool_and_session(admin, run, query):
    approval = asking.approval(run)
    name, _, _ = query.partition("=")

    same = admin.get(f"{INBOX}?{query}")
    none = admin.get(f"{INBOX}?{name}=another")

    assert rows(same) == [str(approval.pk)]
    assert rows(none) == []
    assert "No approval matches" in text(none)


def test_tabs_say_how_much_waits_with_whom_and_the_foot_what_was_decided_today(
    admin, superuser, run
):
    mine, other, third = asking.approval(run), asking.approval(run), asking.approval(run)
    approvals.claim(principal=auth.of_user(superuser, transport="admin"), approval=mine)
    before = text(admin.get(INBOX))
    approvals.decide(principal=factories.OPERATOR, approval=third, approved=False)

    after = admin.get(INBOX)
    today = admin.get(f"{INBOX}?show=today")
    Approval.objects.filter(pk=third.pk).update(decided_at=timezone.now() - timedelta(days=2))
    later = admin.get(f"{INBOX}?show=today")

    assert ("Mine 1" in before, "Team 3" in before) == (True, True)
    assert "Decided today, none" in before
    assert re.search(r"Sorted by expiry\. Last decision \d\d:\d\d:\d\d by operator\.", text(after))
    assert ("Team 2" in text(after), "Decided today, 1" in text(after)) == (True, True)
    assert (rows(today), rows(later)) == ([str(third.pk)], [])
    assert set(rows(after)) == {str(mine.pk), str(other.pk)}


def test_nobody_counts_beyond_a_hundred(admin, run, monkeypatch):
    monkeypatch.setattr(reading, "MOST_COUNTED", 2)
    for _ in range(3):
        asking.approval(run)

    assert "Team 1+" in text(admin.get(INBOX))


def test_card_has_its_name_in_the_header_behind_the_inbox(admin, run):
    call = asking.asked(run, Asking(tool="component.paper-desk.flatten_position"))
    approval = asking.approval(run, call=call)

    shown = admin.get(f"{INBOX}{approval.pk}/change/").content.decode()
    header = re.search(r"<h1.*?</h1>", shown, re.DOTALL)

    assert header
    assert [one.strip("\u2060") for one in re.findall(r">\s*([^<>]+?)\s*</a>", header[0])][-2:] == [
        "Approvals",
        "flatten_position",
    ]
    assert (
        'data-crumb="flatten_position"' in admin.get(f"{INBOX}{approval.pk}/card/").content.decode()
    )


def test_digest_of_other_arguments_is_the_one_that_their_approval_has(admin, run):
    approval = asking.approval(run)
    said = {"arguments": "1", "argument-0": "BTC", "argument-1": "3"}

    same = admin.post(f"{INBOX}{approval.pk}/digest/", {**said, "argument-1": "5"})
    other = admin.post(f"{INBOX}{approval.pk}/digest/", said)
    broken = admin.post(f"{INBOX}{approval.pk}/digest/", {**said, "argument-1": "many"})
    admin.post(f"{INBOX}{approval.pk}/change/", {**said, "approve": "1"})

    decided = Approval.objects.get(pk=approval.pk)
    assert same.json() == {"digest": approval.digest}
    assert other.json() == {"digest": decided.digest}
    assert (decided.digest == approval.digest, decided.state) == (False, "approved")
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    shown = text(admin.get(f"{INBOX}{approval.pk}/change/"))
    assert (
        f"Digest {approval.digest[:8]} {decided.digest[:8]} Only the second one could run." in shown
    )


def test_measuring_again_says_when_there_is_nobody_to_ask_and_nothing_to_measure(admin, run):
    approval = asking.approval(run, evidence={"book": {"value": 1, "ts": 1, "seq": 1}})

    nowhere = admin.get(f"{INBOX}{approval.pk}/measure/").json()
    approvals.decide(principal=factories.OPERATOR, approval=approval, approved=False)
    over = admin.get(f"{INBOX}{approval.pk}/measure/").json()

    assert re.sub("<[^>]+>", "", nowhere["checked"]).startswith("Not measured ")
    assert (over["state"], over["is_open"]) == ("rejected", False)
    assert over["checked"] == "It is decided, so nothing is measured any more."
    assert admin.get(f"{INBOX}{run.pk}/measure/").status_code == 404


def test_page_of_a_card_has_the_queue_of_the_inbox_at_its_left(admin, run):
    first, second = asking.approval(run), asking.approval(run)
    approvals.claim(principal=factories.OPERATOR, approval=second)

    page = admin.get(f"{INBOX}{first.pk}/change/").content.decode()
    [queue] = re.findall(r'id="ae-queue">(.*?)</nav>\s*<div class="ae-card"', page, re.DOTALL)

    assert re.findall(r'data-key="([^"]+)"', queue) == [str(first.pk), str(second.pk)]
    assert "Mine 0 Team 2 All" in text(queue)
    for said in ("symbol: BTC, quantity: 5", "trader", "Desk", "Medium", "with operator"):
        assert said in text(queue), said
    assert "Sorted by expiry. Decided today, none" in text(queue)
    assert f"?show=mine&amp;card={first.pk}" in queue
