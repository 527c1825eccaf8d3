from typing import Any

import pytest

from aegis_project import sealed
from sessions.models import Delivery, Webhook
from sessions.selectors import webhooks as reading
from sessions.services import deliveries, webhooks
from streaming.models import AuditEntry
from tests import asking, factories
from tests.factories import OPERATOR
from tests.integration.admin.help import WEBHOOKS, text
from tests.outside import Reply, outside

URL = "https://example.com/hook"


@pytest.fixture
def admin(client, superuser, team):
    client.force_login(superuser)
    return client


@pytest.fixture
def place(settings: Any):
    """A receiver on this machine, which is reached."""
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"outward_networks": "127.0.0.0/8"}
    )
    with outside() as found:
        yield found


def form(team: Any, **more: str) -> dict[str, str]:
    return {"url": URL, "events": "approval.*\nrun.completed", "team": str(team.pk), **more}


def hook(team: Any, url: str = URL) -> Webhook:
    made = webhooks.define(principal=OPERATOR, url=url, events=["approval.*"], team=team)
    return made.webhook


def sent(webhook: Webhook) -> Delivery:
    """A delivery that was given up."""
    asking.approval(asking.run(factories.session(key="desk")))
    for webhook_id, session_id in reading.behind():
        deliveries.note(webhook_id=webhook_id, session_id=session_id)
    Delivery.objects.update(state="failed", attempts=9, status=500, error="HTTP 500")
    return Delivery.objects.get(webhook=webhook)


def test_a_webhook_is_made_and_its_secret_is_shown_once(admin, team):
    made = admin.post(f"{WEBHOOKS}add/", form(team))
    row = Webhook.objects.get()
    listed = admin.get(WEBHOOKS)
    page = admin.get(f"{WEBHOOKS}{row.pk}/change/")

    secret = sealed.unseal(row.secret)
    assert secret in text(made)
    assert secret not in text(listed) + text(page)
    assert f"{URL} approval.*, run.completed team default yes" in text(listed)
    assert (row.events, row.team) == (["approval.*", "run.completed"], team)


def test_a_webhook_of_one_session_is_made(admin, team):
    session = factories.session(key="desk")

    admin.post(f"{WEBHOOKS}add/", form(team, session="desk"))
    refused = admin.post(f"{WEBHOOKS}add/", form(team, session="nowhere"))

    assert Webhook.objects.get().session == session
    assert "There is no such session" in text(refused)


def test_a_webhook_is_changed_rotated_and_removed(admin, team):
    row = hook(team)
    address = f"{WEBHOOKS}{row.pk}/"
    before = sealed.unseal(row.secret)

    changed = admin.post(f"{address}change/", {"url": URL, "events": "run.*"}, follow=True)
    rotated = admin.post(f"{address}rotate/")
    row.refresh_from_db()
    removed = admin.post(f"{address}remove/", follow=True)

    assert "is changed." in text(changed)
    assert (row.events, row.is_active) == (["run.*"], False)
    assert sealed.unseal(row.secret) in text(rotated)
    assert sealed.unseal(row.secret) != before
    assert "hears no more." in text(removed)
    assert not Webhook.objects.exists()
    commands = AuditEntry.objects.filter(target=str(row.pk)).order_by("pk")
    assert list(commands.values_list("command", flat=True)) == [
        *("webhook.define", "webhook.change", "webhook.rotate", "webhook.remove")
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"url": "file:///etc/passwd"}, "url is an http or https address."),
        ({"events": "no.such"}, "events are types of events"),
    ],
)
def test_what_cannot_be_is_told(admin, team, wrong, says):
    assert says in text(admin.post(f"{WEBHOOKS}add/", form(team) | wrong))
    assert not Webhook.objects.exists()


def test_what_was_sent_is_shown_with_its_answer_and_sent_again(admin, team):
    row = hook(team)
    delivery = sent(row)
    address = f"{WEBHOOKS}{row.pk}/"

    page = admin.get(f"{address}change/")
    again = admin.post(f"{address}{delivery.pk}/", follow=True)
    gone = admin.post(f"{address}{row.pk}/", follow=True)

    delivery.refresh_from_db()
    assert "approval.requested desk given up HTTP 500 9" in text(page)
    assert "It is sent again, under its id." in text(again)
    assert (delivery.state, delivery.attempts) == ("due", 0)
    assert "DELIVERY_NOT_FOUND" in text(gone)


def test_a_test_says_what_came_back(admin, team, place):
    row = hook(team, place.url("/hook"))
    address = f"{WEBHOOKS}{row.pk}/test/"

    taken = admin.post(address, follow=True)
    place.replies["/hook"] = Reply(status=503)
    refused = admin.post(address, follow=True)

    assert "The test was taken: HTTP 200." in text(taken)
    assert "The test was not taken: HTTP 503" in text(refused)
    assert [visit.document["type"] for visit in place.visits] == ["webhook.test"] * 2
    assert not Delivery.objects.exists()


def test_whoever_only_reads_changes_nothing(client, person, team):
    row = hook(team)
    delivery = sent(row)
    client.force_login(person("rita", "aegis_sessions.view_webhook"))
    address = f"{WEBHOOKS}{row.pk}/"

    page = client.get(f"{address}change/")
    answers = [client.post(f"{address}{one}/") for one in ("test", "rotate", str(delivery.pk))]
    changed = client.post(f"{address}change/", {"url": "https://other.example", "events": "*"})
    client.post(f"{address}remove/")

    assert page.status_code == 200
    assert "Send a test" not in text(page)
    assert [one.status_code for one in (*answers, changed)] == [403] * 4
    assert client.get(f"{WEBHOOKS}add/").status_code == 403
    assert Webhook.objects.get().url == URL


def test_webhooks_of_other_teams_do_not_exist(client, person, team, other_team):
    row = hook(other_team)
    client.force_login(
        person("wim", "aegis_sessions.view_webhook", "aegis_sessions.change_webhook")
    )

    listed = client.get(WEBHOOKS)

    assert URL not in text(listed)
    assert client.get(f"{WEBHOOKS}{row.pk}/change/").status_code == 404
    assert client.post(f"{WEBHOOKS}{row.pk}/test/").status_code == 404
    assert client.get(f"{WEBHOOKS}no-id/change/").status_code == 404
