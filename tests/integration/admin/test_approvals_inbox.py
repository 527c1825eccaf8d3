import re

import pytest

from sessions.core.tool_calls import Risk
from tests import asking, factories
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
