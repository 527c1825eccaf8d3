import json

import pytest

from sessions.admin import policy_words
from sessions.models import Policy
from tests import asking
from tests.integration.admin.help import text

POLICIES = "/admin/aegis_sessions/policy/"
READ = ("aegis_sessions.view_policy",)
WRITE = (*READ, "aegis_sessions.change_policy")
RULES = [{"verdict": "deny", "tool": "orders.*"}]
FORM = {"slug": "desk", "name": "Desk", "description": "Ours.", "rules": json.dumps(RULES)}


@pytest.fixture
def admin(client, superuser):
    client.force_login(superuser)
    return client


def test_a_policy_is_made_changed_and_removed(admin, team):
    made = admin.post(f"{POLICIES}add/", FORM | {"team": team.name})
    row = Policy.objects.get(slug="desk")
    page = f"{POLICIES}{row.pk}/change/"
    shown = admin.get(page).content.decode()
    changed = admin.post(page, FORM | {"rules": "[]", "name": "Other"})
    after = Policy.objects.get(slug="desk")
    removed = admin.post(f"{POLICIES}{row.pk}/remove/", follow=True)

    assert (made.status_code, made["Location"]) == (302, page)
    assert (row.rules, row.team) == (RULES, team)
    assert "&quot;orders.*&quot;" in shown
    assert (changed.status_code, after.rules, after.name, after.version) == (302, [], "Other", 2)
    assert "Other is removed." in text(removed)
    assert not Policy.objects.filter(slug="desk").exists()


def test_rules_that_cannot_be_are_told_at_their_field(admin, team):
    wrong = admin.post(f"{POLICIES}add/", FORM | {"rules": '[{"verdict": "maybe"}]'})
    no_json = admin.post(f"{POLICIES}add/", FORM | {"rules": "["})

    assert "rules[0].verdict" in text(wrong)
    assert no_json.status_code == 200
    assert not Policy.objects.filter(slug="desk").exists()


def test_a_policy_in_use_stays(admin, team):
    row = Policy.objects.create(slug="desk", name="Desk", rules=[])
    asking.agent(policy=row)

    answer = admin.post(f"{POLICIES}{row.pk}/remove/", follow=True)

    assert "POLICY_IN_USE" in text(answer)
    assert Policy.objects.filter(slug="desk").exists()


def test_the_ready_policies_are_shown_and_do_not_change(admin):
    listed = text(admin.get(POLICIES))
    row = Policy.objects.get(slug="manual")

    shown = text(admin.get(f"{POLICIES}{row.pk}/change/"))
    refused = admin.post(f"{POLICIES}{row.pk}/change/", FORM)

    assert "Automatic auto" in listed
    assert "This one is part of Aegis and does not change." in shown
    assert refused.status_code == 403


def test_policies_are_of_teams_and_rights(client, person, other_team):
    theirs = Policy.objects.create(slug="theirs", rules=[], team=other_team)
    shared = Policy.objects.create(slug="shared", name="Shared", rules=[])

    client.force_login(person("reader", *READ))
    read = client.get(f"{POLICIES}{shared.pk}/change/")
    hidden = client.get(f"{POLICIES}{theirs.pk}/change/")
    adding = client.get(f"{POLICIES}add/")
    client.force_login(person("writer", *WRITE))
    own = client.post(f"{POLICIES}add/", FORM | {"team": "default"})
    everybody = client.post(f"{POLICIES}{shared.pk}/change/", FORM)
    client.force_login(person("nobody"))

    assert "Only who may write the policies" in text(read)
    assert (hidden.status_code, adding.status_code) == (404, 403)
    assert (own.status_code, everybody.status_code) == (302, 403)
    assert client.get(f"{POLICIES}{shared.pk}/change/").status_code == 403
    assert client.get(f"{POLICIES}nothing/change/").status_code == 403


def test_a_policy_is_read_in_words():
    rules: list[dict[str, object]] = [
        {
            "name": "records",
            "verdict": "auto",
            "tool": "publish",
            "arguments": [{"path": "topic", "op": "eq", "value": "incidents"}],
        },
        {"verdict": "approve", "risk": ["high", "medium"], "seconds": 90, "on_timeout": "approve"},
        {"verdict": "approve", "tool": "*"},
        {"verdict": "deny", "environment": ["production"], "cost_above": 0.5},
    ]

    assert policy_words.told(rules) == [
        ("records", "tool publish, topic eq incidents", "goes by", ""),
        ("", "risk high or medium", "waits for somebody", "1:30, then approved"),
        ("", "every call", "waits for somebody", "5:00, then refused"),
        ("", "in production, above 0.5 US $", "is denied", ""),
    ]
