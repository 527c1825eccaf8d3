from datetime import timedelta
from typing import Any, Literal

import pytest
from django.utils import timezone

from sessions.core.matching import Condition
from sessions.core.policy import Remember
from sessions.models import Grant
from sessions.services import approvals
from tests import asking, factories
from tests.factories import OPERATOR
from tests.integration.admin.help import GRANTS, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, superuser, team):
    client.force_login(superuser)
    return client


def grant(
    scope: Literal["run", "session", "agent"],
    *,
    key: str = "desk",
    approved: bool = True,
    **more: Any,
) -> Grant:
    """A rule made from a decision in a session of its own."""
    approval = asking.approval(asking.run(factories.session(key=key)))
    decided = approvals.decide(
        principal=OPERATOR,
        approval=approval,
        approved=approved,
        reason="" if approved else "no",
        remember=Remember(scope=scope, **more),
    )
    assert decided.grant is not None
    return decided.grant


def test_rules_are_listed_with_exactly_their_scope(admin):
    grant("run", key="one")
    grant("session", key="two", approved=False)
    grant("agent", key="three", conditions=[Condition(path="quantity", op="lt", value=10)])

    listed = text(admin.get(GRANTS))

    assert "orders.place let by run 1 of session one user:operator" in listed
    assert "orders.place denied session two user:operator" in listed
    assert "orders.place let by when quantity lt 10 agent trader in development" in listed


def test_a_rule_is_shown_as_it_is_stored(admin):
    until = timezone.now() + timedelta(days=3)
    row = grant("session", until=until)

    page = text(admin.get(f"{GRANTS}{row.pk}/change/"))

    assert "Holds for session desk Arguments any Made by user:operator" in page
    assert f"Until {until:%Y-%m-%d %H:%M:%S}" in page
    assert "The approval it was made of" in page


def test_a_rule_is_ended_now(admin):
    row = grant("session")

    ended = admin.post(f"{GRANTS}{row.pk}/remove/", follow=True)
    page = text(admin.get(f"{GRANTS}{row.pk}/change/"))

    row.refresh_from_db()
    assert row.revoked_at is not None
    assert "The grant of orders.place is ended; what it let by stays." in text(ended)
    assert "Until ended" in page
    assert "End it now" not in page


def test_rules_are_told_apart_by_whether_they_hold(admin):
    grant("session", key="one")
    over = grant("session", key="two")
    Grant.objects.filter(pk=over.pk).update(until=timezone.now() - timedelta(seconds=1))

    holding, ended = text(admin.get(f"{GRANTS}?holds=yes")), text(admin.get(f"{GRANTS}?holds=no"))

    assert ("session one" in holding, "session two" in holding) == (True, False)
    assert ("session one" in ended, "session two was over" in ended) == (False, False)
    assert "session two user:operator" in ended


def test_whoever_only_reads_ends_nothing(client, person):
    row = grant("session")
    client.force_login(person("rita", "aegis_sessions.view_policy"))

    page = client.get(f"{GRANTS}{row.pk}/change/")
    refused = client.post(f"{GRANTS}{row.pk}/remove/", follow=True)

    row.refresh_from_db()
    assert "End it now" not in text(page)
    assert "PERMISSION_DENIED" in text(refused)
    assert row.revoked_at is None
    assert client.get(f"{GRANTS}add/").status_code == 403


def test_rules_of_other_teams_and_without_the_right_do_not_exist(client, person, other_team):
    row = grant("session")
    client.force_login(person("otto", "aegis_sessions.view_policy", group=other_team))

    assert "orders.place" not in text(client.get(GRANTS))
    assert client.get(f"{GRANTS}{row.pk}/change/").status_code == 404
    client.force_login(person("vera", "aegis_sessions.view_session"))
    assert client.get(GRANTS).status_code == 403
