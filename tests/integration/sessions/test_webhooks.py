import asyncio
import json
import threading
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aegis_project.database import run_db
from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from sessions.core import webhooks as rules
from sessions.core.errors import DeliveryNotFound, WebhookNotFound
from sessions.models import Delivery, Hearing, Session, Webhook
from sessions.selectors import webhooks as reading
from sessions.services import approvals, deliveries, lifecycle, runs, webhooks
from sessions.worker.webhooks import Webhooks
from streaming import hints
from streaming.models import Lease
from tests import asking, factories
from tests.factories import OPERATOR
from tests.outside import Outside, Reply, outside
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


class Here:
    """A node as far as the job needs one: the lease of its process."""

    def __init__(self) -> None:
        self.lease_id = factories.lease().pk


@pytest.fixture(autouse=True)
def _open_to_this_machine(settings: Any):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"outward_networks": "127.0.0.0/8"}
    )


@pytest.fixture
def place():
    with outside() as found:
        yield found


def webhook(place: Outside, session: Session, *, events=("approval.*",)) -> tuple[Webhook, str]:
    made = webhooks.define(
        principal=OPERATOR, url=place.url("/hook"), events=list(events), team=session.team
    )
    return made.webhook, made.secret


def note(*sessions: Session) -> None:
    for webhook_id, session_id in reading.behind([str(one.pk) for one in sessions] or None):
        deliveries.note(webhook_id=webhook_id, session_id=session_id)


def bodies(place: Outside) -> list[dict[str, Any]]:
    return [visit.document for visit in place.visits]


@asynccontextmanager
async def job():
    """The job, for turns one by one."""
    here: Any = await run_db(Here)
    found = Webhooks()

    async def turn(count: int = 1) -> None:
        for _ in range(count):
            await found.run(here)
            await asyncio.gather(*found._sending)

    try:
        yield found, here, turn
    finally:
        await found.stop(here)


async def test_events_come_signed_in_their_order(place: Outside):
    session = await run_db(factories.session, key="desk")
    hook, secret = await run_db(webhook, place, session)
    run = await run_db(asking.run, session)
    approval = await run_db(asking.approval, run)
    await run_db(approvals.decide, principal=OPERATOR, approval=approval, approved=False)

    async with job() as (_, _, turn):
        await turn(3)

    told = await run_db(
        lambda: [one for one in factories.ledger(session) if "approval" in one.type]
    )
    assert [body["type"] for body in bodies(place)] == ["approval.requested", "approval.decided"]
    first, visit = bodies(place)[0], place.visits[0]
    event = json.loads(told[0].body)
    assert first == {
        "type": "approval.requested",
        "timestamp": event["ts"],
        "seq": event["seq"],
        "actor": "agent:trader",
        "session": {
            "id": str(session.pk),
            "key": "desk",
            "name": "",
            "state": "running",
            "environment": "development",
        },
        "data": event["data"],
    }
    headers = visit.headers
    assert headers["webhook-signature"] == rules.signature(
        secret,
        id_=headers["webhook-id"],
        timestamp=int(headers["webhook-timestamp"]),
        body=visit.body,
    )
    rows = await run_db(lambda: list(Delivery.objects.order_by("seq")))
    assert [(row.state, row.status, row.attempts) for row in rows] == [("sent", 200, 1)] * 2
    assert headers["webhook-id"] == str(rows[0].pk)
    assert hook.secret != secret


async def test_what_fails_is_sent_again_and_keeps_its_place(place: Outside):
    session = await run_db(factories.session)
    await run_db(webhook, place, session)
    run = await run_db(asking.run, session)
    approval = await run_db(asking.approval, run)
    await run_db(approvals.decide, principal=OPERATOR, approval=approval, approved=True)
    place.replies["/hook"] = Reply(status=500)

    async with job() as (_, _, turn):
        await turn(2)
        failed = await run_db(lambda: Delivery.objects.earliest("seq"))
        tried = len(place.visits)
        place.replies["/hook"] = Reply()
        await run_db(lambda: Delivery.objects.update(next_at=timezone.now()))
        await turn(3)

    assert (tried, failed.state, failed.status, failed.error) == (1, "due", 500, "HTTP 500")
    assert 3 < (failed.next_at - failed.created_at).total_seconds() < 60
    types = [body["type"] for body in bodies(place)]
    assert types == ["approval.requested", "approval.requested", "approval.decided"]
    ids = [visit.headers["webhook-id"] for visit in place.visits]
    assert ids[0] == ids[1] != ids[2]


async def test_receiver_that_hangs_keeps_nobody_else_waiting(place: Outside):
    session, other = await run_db(factories.session), await run_db(factories.session)
    hold = place.replies["/hangs"] = Reply(hold=threading.Event())
    for path in ("/hangs", "/quick"):
        await run_db(
            webhooks.define,
            principal=OPERATOR,
            url=place.url(path),
            events=["approval.*"],
            team=session.team,
        )
    await run_db(lambda: asking.approval(asking.run(session)))

    async with job() as (found, here, _):
        await found.run(here)
        await until(lambda: {visit.path for visit in place.visits} == {"/hangs", "/quick"})
        await until(lambda: len(found._sending) == 1)
        await run_db(lambda: asking.approval(asking.run(other)))
        found.wants(hints.Hint("ledger", str(other.pk)))
        await found.run(here)
        await until(lambda: [v.path for v in place.visits].count("/quick") == 2)
        assert hold.hold is not None
        hold.hold.set()
        await until(lambda: not found._sending)

    states = await run_db(lambda: set(Delivery.objects.values_list("state", flat=True)))
    assert states == {"sent"}


async def test_receiver_that_is_away_gets_all_when_it_comes_back():
    with outside() as place:
        session = await run_db(factories.session)
        await run_db(webhook, place, session)
    await run_db(lambda: asking.approval(asking.run(session)))

    async with job() as (_, _, turn):
        await turn()
        row = await run_db(Delivery.objects.get)
        with outside() as back:
            await run_db(lambda: Webhook.objects.update(url=back.url("/hook")))
            await run_db(lambda: Delivery.objects.update(next_at=timezone.now()))
            await turn()
            came = bodies(back)

    assert (row.state, row.status, row.error.split(":")[0]) == ("due", None, "UNREACHABLE")
    assert [body["type"] for body in came] == ["approval.requested"]


async def test_address_inside_is_not_reached(place: Outside, settings: Any):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"outward_networks": ""})
    session = await run_db(factories.session)
    await run_db(webhook, place, session)
    await run_db(lambda: asking.approval(asking.run(session)))

    async with job() as (_, _, turn):
        await turn()

    row = await run_db(Delivery.objects.get)
    assert (place.visits, row.state, row.error.split(":")[0]) == ([], "due", "ADDRESS_REFUSED")


async def test_receiver_that_is_gone_hears_no_more(place: Outside):
    session = await run_db(factories.session)
    await run_db(webhook, place, session)
    await run_db(lambda: asking.approval(asking.run(session)))
    place.replies["/hook"] = Reply(status=410)

    async with job() as (_, _, turn):
        await turn(2)

    hook = await run_db(Webhook.objects.get)
    row = await run_db(Delivery.objects.get)
    assert (hook.is_active, row.state, len(place.visits)) == (False, "failed", 1)


def test_delivery_is_given_up_after_its_last_attempt(place: Outside):
    session = factories.session()
    webhook(place, session)
    asking.approval(asking.run(session))
    note()
    lease = factories.lease().pk
    Delivery.objects.update(attempts=len(rules.WAITS))

    [parcel] = deliveries.claim(lease_id=lease, limit=5)
    deliveries.failed(parcel, lease_id=lease, status=503, error="HTTP 503", chance=0.5)

    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.status) == ("failed", 9, 503)


def test_what_a_dead_process_claimed_is_sent_by_another(place: Outside):
    session = factories.session()
    webhook(place, session)
    asking.approval(asking.run(session))
    note()
    dead, alive = factories.lease(), factories.lease()

    [lost] = deliveries.claim(lease_id=dead.pk, limit=5)
    while_it_lives = deliveries.claim(lease_id=alive.pk, limit=5)
    Lease.objects.filter(pk=dead.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    [taken] = deliveries.claim(lease_id=alive.pk, limit=5)

    assert while_it_lives == []
    assert taken.delivery_id == lost.delivery_id
    assert not deliveries.sent(lost, lease_id=dead.pk, status=200)
    assert deliveries.sent(taken, lease_id=alive.pk, status=200)


def test_what_a_process_gives_back_is_free(place: Outside):
    session = factories.session()
    webhook(place, session)
    asking.approval(asking.run(session))
    note()
    one, other = factories.lease().pk, factories.lease().pk
    claimed = deliveries.claim(lease_id=one, limit=5)

    deliveries.give_back(claimed, lease_id=one)

    assert len(deliveries.claim(lease_id=other, limit=5)) == 1


def test_webhook_hears_from_now_on_and_of_its_team_only(place: Outside):
    before = factories.session()
    run = asking.run(before)
    asking.approval(run)
    webhook(place, before)
    others = factories.session(team=factories.team("others").name)

    asking.approval(run)
    asking.approval(asking.run(others))
    asking.approval(asking.run(factories.session()))
    note()
    note()

    found = list(Delivery.objects.values_list("session__team__name", "type"))
    assert found == [("default", "approval.requested")] * 2


def test_webhook_hears_of_closed_sessions_that_move_again(place: Outside):
    session = factories.session()
    lifecycle.start(principal=OPERATOR, session=session)
    lifecycle.complete(principal=OPERATOR, session=session)
    webhook(place, session, events=["session.*"])
    Hearing.objects.all().delete()

    note()
    Session.objects.update(state="running", state_changed_at=timezone.now())
    lifecycle.stop(principal=OPERATOR, session=session)
    note()

    assert list(Delivery.objects.values_list("type", flat=True)) == ["session.suspended"]


def test_webhook_of_one_session_hears_of_that_alone(place: Outside):
    session, other = factories.session(), factories.session()
    webhooks.define(
        principal=OPERATOR,
        url=place.url(),
        events=["run.*"],
        team=session.team,
        session=session,
    )

    for one in (session, other):
        runs.cancel(principal=OPERATOR, run=asking.run(one))
    note()

    assert list(Delivery.objects.order_by("seq").values_list("session", "type")) == [
        (session.pk, "run.queued"),
        (session.pk, "run.cancelled"),
    ]


def test_many_events_are_written_down_in_slices(place: Outside, monkeypatch: Any):
    monkeypatch.setattr(deliveries, "SLICE", 2)
    session = factories.session()
    hook, _ = webhook(place, session)
    run = asking.run(session)
    for _ in range(3):
        asking.approval(run)

    turns = 1
    while deliveries.note(webhook_id=hook.pk, session_id=session.pk):
        turns += 1

    assert turns > 2
    assert Delivery.objects.count() == 3


def test_webhook_that_rests_misses_nothing(place: Outside):
    session = factories.session()
    hook, _ = webhook(place, session)
    webhooks.change(principal=OPERATOR, webhook=hook.pk, changes={"is_active": False})
    asking.approval(asking.run(session))
    note()
    resting = Delivery.objects.count()

    webhooks.change(principal=OPERATOR, webhook=hook.pk, changes={"is_active": True})
    note()

    assert (resting, Delivery.objects.count()) == (0, 1)


def test_delivery_is_sent_again_when_somebody_asks(place: Outside):
    session = factories.session()
    hook, _ = webhook(place, session)
    asking.approval(asking.run(session))
    note()
    lease = factories.lease().pk
    [parcel] = deliveries.claim(lease_id=lease, limit=1)
    deliveries.sent(parcel, lease_id=lease, status=200)

    webhooks.redeliver(principal=OPERATOR, webhook=hook.pk, delivery=parcel.delivery_id)

    [again] = deliveries.claim(lease_id=lease, limit=1)
    assert (again.delivery_id, again.body, again.attempt) == (parcel.delivery_id, parcel.body, 1)
    with pytest.raises(DeliveryNotFound):
        webhooks.redeliver(principal=OPERATOR, webhook=hook.pk, delivery="nothing")


def test_rotated_secret_signs_from_now_on(place: Outside):
    hook, secret = webhook(place, factories.session())

    rotated = webhooks.rotate(principal=OPERATOR, webhook=hook.pk)

    assert rotated.secret.startswith("whsec_")
    assert rotated.secret != secret


def test_webhook_that_cannot_be_is_refused(place: Outside):
    session = factories.session()
    stranger = factories.member(factories.team("others"))
    ask: dict[str, Any] = {"url": place.url(), "events": ["run.*"], "team": session.team}

    for changes in ({"url": "ftp://x"}, {"events": ["nothing.*"]}):
        with pytest.raises(ValidationFailed):
            webhooks.define(principal=OPERATOR, **ask | changes)
    with pytest.raises(PermissionDenied):
        webhooks.define(principal=stranger, **ask)
    hook, _ = webhook(place, session)
    with pytest.raises(WebhookNotFound):
        webhooks.remove(principal=stranger, webhook=hook.pk)
    with pytest.raises(ValidationFailed):
        webhooks.change(principal=OPERATOR, webhook=hook.pk, changes={"url": "x"})
    with pytest.raises(ValidationFailed):
        webhooks.change(principal=OPERATOR, webhook=hook.pk, changes={"events": []})
    webhooks.remove(principal=OPERATOR, webhook=hook.pk)
    assert not Webhook.objects.exists()


def test_old_deliveries_are_forgotten(place: Outside):
    session = factories.session()
    webhook(place, session)
    asking.approval(asking.run(session))
    note()
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    while_due = deliveries.forget()

    Delivery.objects.update(state="sent")

    assert (while_due, deliveries.forget(), Delivery.objects.count()) == (0, 1, 0)
