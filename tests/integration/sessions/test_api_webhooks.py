from typing import Any

import pytest

from sessions.core import webhooks as rules
from sessions.models import Delivery, Webhook
from sessions.selectors import webhooks as reading
from sessions.services import deliveries
from tests import asking, factories
from tests.calling import Caller, caller, code
from tests.outside import Reply, outside

pytestmark = pytest.mark.django_db

WEBHOOKS = "/api/v1/webhooks"
HOOK = {"url": "https://example.com/hook", "events": ["approval.*", "run.completed"]}


def test_a_webhook_is_made_read_changed_and_removed(program: Caller):
    answer = program.post(WEBHOOKS, HOOK)
    made = answer.json()
    address = f"{WEBHOOKS}/{made['id']}"

    listed = program.get(WEBHOOKS).json()["data"]
    changed = program.patch(address, {"is_active": False, "events": ["run.*"]}).json()
    rotated = program.post(f"{address}/rotate").json()
    removed = program.delete(address)

    assert answer.status_code == 201
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["team"], made["session"]) == (HOOK["url"], "default", None)
    assert "secret" not in listed[0]
    assert (changed["is_active"], changed["events"]) == (False, ["run.*"])
    assert rotated["secret"] not in {"", made["secret"]}
    assert removed.status_code == 204
    assert code(program.get(address)) == (404, "WEBHOOK_NOT_FOUND")


def test_a_webhook_of_one_session_is_of_its_team(program: Caller):
    session = factories.session(key="desk")

    made = program.post(WEBHOOKS, {**HOOK, "session": "desk"}).json()

    assert (made["session"], made["team"]) == (str(session.pk), "default")


@pytest.mark.parametrize(
    "body", [{**HOOK, "url": "file:///etc/passwd"}, {**HOOK, "events": ["no.*"]}, {"url": "x"}]
)
def test_a_webhook_that_cannot_be_is_refused(program: Caller, body):
    assert code(program.post(WEBHOOKS, body)) == (400, "VALIDATION_ERROR")


def test_deliveries_are_listed_and_sent_again(program: Caller):
    session = factories.session()
    made = program.post(WEBHOOKS, HOOK).json()
    asking.approval(asking.run(session))
    for webhook_id, session_id in reading.behind():
        deliveries.note(webhook_id=webhook_id, session_id=session_id)
    Delivery.objects.update(state="failed", attempts=9, status=500, error="HTTP 500")
    address = f"{WEBHOOKS}/{made['id']}/deliveries"

    [failed] = program.get(f"{address}?state=failed").json()["data"]
    again = program.post(f"{address}/{failed['id']}/redeliver").json()

    assert (failed["type"], failed["status"]) == ("approval.requested", 500)
    assert (again["id"], again["state"], again["attempts"]) == (failed["id"], "due", 0)
    assert program.get(f"{address}?state=failed").json()["data"] == []
    assert code(program.post(f"{address}/nothing/redeliver")) == (404, "DELIVERY_NOT_FOUND")


def test_a_test_is_sent_at_once_and_told(program: Caller, settings: Any):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"outward_networks": "127.0.0.0/8"}
    )
    with outside() as place:
        made = program.post(WEBHOOKS, {**HOOK, "url": place.url("/hook")}).json()
        address = f"{WEBHOOKS}/{made['id']}/test"

        taken = program.post(address)
        place.replies["/hook"] = Reply(status=500)
        refused = program.post(address)

    assert taken.json() == {"is_taken": True, "status": 200, "error": ""}
    assert refused.json() == {"is_taken": False, "status": 500, "error": "HTTP 500"}
    visit = place.visits[0]
    assert visit.document["data"] == {"webhook": made["id"]}
    assert visit.headers["webhook-signature"] == rules.signature(
        made["secret"],
        id_=visit.headers["webhook-id"],
        timestamp=int(visit.headers["webhook-timestamp"]),
        body=visit.body,
    )
    assert list(Delivery.objects.all()) == []


def test_a_test_never_goes_inside(program: Caller):
    made = program.post(WEBHOOKS, {**HOOK, "url": "http://127.0.0.1:9/hook"}).json()

    answer = program.post(f"{WEBHOOKS}/{made['id']}/test").json()

    assert (answer["is_taken"], answer["status"]) == (False, None)
    assert answer["error"].startswith("ADDRESS_REFUSED")


def test_webhooks_need_their_scopes_and_team(program: Caller):
    made = program.post(WEBHOOKS, HOOK).json()
    reader, stranger = caller(["webhooks:read"]), caller(team="others")

    assert reader.get(f"{WEBHOOKS}/{made['id']}").status_code == 200
    assert code(reader.post(WEBHOOKS, HOOK)) == (403, "PERMISSION_DENIED")
    assert code(reader.delete(f"{WEBHOOKS}/{made['id']}")) == (403, "PERMISSION_DENIED")
    assert code(reader.post(f"{WEBHOOKS}/{made['id']}/test")) == (403, "PERMISSION_DENIED")
    assert code(stranger.get(f"{WEBHOOKS}/{made['id']}")) == (404, "WEBHOOK_NOT_FOUND")
    assert code(stranger.delete(f"{WEBHOOKS}/{made['id']}")) == (404, "WEBHOOK_NOT_FOUND")
    assert code(caller(["runs:read"]).get(WEBHOOKS)) == (403, "PERMISSION_DENIED")


def test_the_secret_is_not_readable_in_the_table(program: Caller):
    made = program.post(WEBHOOKS, HOOK).json()

    assert made["secret"] not in Webhook.objects.get().secret
