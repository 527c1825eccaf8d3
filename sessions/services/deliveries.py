"""What is sent to webhooks: written down from the ledgers, claimed, and told how it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from aegis_project import database
from sessions.core import webhooks
from sessions.models import Delivery, Hearing, Session, Webhook
from sessions.services import pushing
from streaming.models import Event
from streaming.models.log import LEDGER

DUE, SENT, FAILED = "due", "sent", "failed"
SLICE = 500
KEPT = timedelta(days=30)
LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that this process is to send: where, signed with which secret, and what."""

    delivery_id: UUID
    url: str
    secret: str
    body: bytes
    attempt: int
    headers: Mapping[str, str] = field(default_factory=dict)


def note(*, webhook_id: UUID, session_id: UUID) -> bool:
    """Write down what a webhook has to hear of a session; whether there may be more."""
    with database.atomic():
        rows = Webhook.objects.select_related("push").filter(is_active=True)
        webhook = rows.filter(pk=webhook_id).first()
        if webhook is None:
            return False
        hearing = _hearing(webhook, session_id)
        events = Event.objects.filter(
            log__session=session_id, log__name=LEDGER, seq__gt=hearing.seq
        )
        # Whose an event is stands in its body, which is read only for who asks.
        told = "body" if pushing.of(webhook) else "type"
        found = list(events.order_by("seq").values_list("seq", "type", told)[:SLICE])
        Delivery.objects.bulk_create(
            [
                Delivery(webhook=webhook, session_id=session_id, seq=seq, type=type_)
                for seq, type_, body in found
                if webhooks.hears(webhook.events, type_) and pushing.concerns(webhook, body)
            ],
            ignore_conflicts=True,
        )
        if found:
            hearing.seq = found[-1][0]
            hearing.save(update_fields=["seq"])
        return len(found) == SLICE


def _hearing(webhook: Webhook, session_id: UUID) -> Hearing:
    """How far a webhook heard of a session, locked; at first all before there was the webhook."""
    rows = Hearing.objects.select_for_update(of=("self",))
    hearing = rows.filter(webhook=webhook, session=session_id).first()
    if hearing is not None:
        return hearing
    before = Event.objects.filter(
        log__session=session_id, log__name=LEDGER, ts__lt=webhook.created_at
    ).aggregate(last=Max("seq"))["last"]
    Hearing.objects.bulk_create(
        [Hearing(webhook=webhook, session_id=session_id, seq=before or 0)], ignore_conflicts=True
    )
    return rows.get(webhook=webhook, session=session_id)


def due(now: datetime) -> QuerySet[Delivery]:
    """
    Deliveries that may be sent now: nobody alive sends them, and nothing goes before them.

    Those of one session come to one webhook one after the other.
    """
    earlier = Delivery.objects.filter(
        webhook=OuterRef("webhook"), session=OuterRef("session"), state=DUE, seq__lt=OuterRef("seq")
    )
    is_free = Q(lease=None) | Q(lease__expires_at__lt=now)
    rows = Delivery.objects.filter(
        is_free, ~Exists(earlier), state=DUE, next_at__lte=now, webhook__is_active=True
    )
    return rows.order_by("next_at", "seq")


def claim(*, lease_id: UUID, limit: int) -> list[Parcel]:
    """Take deliveries that are due for the process of this lease."""
    now = timezone.now()
    # Asked outside of a transaction: nobody waits on SQLite for an answer that is mostly no.
    if not due(now).exists():
        return []
    can_skip = connection.features.has_select_for_update_skip_locked
    with database.atomic():
        rows = (
            due(now)
            .select_related("webhook__push__run__session")
            .select_for_update(of=("self",), skip_locked=can_skip)
        )
        taken = list(rows[:limit])
        Delivery.objects.filter(pk__in=[row.pk for row in taken]).update(
            lease=lease_id, attempts=F("attempts") + 1
        )
        return [_parcel(row) for row in taken]


def _parcel(row: Delivery) -> Parcel:
    return Parcel(
        delivery_id=row.pk,
        url=row.webhook.url,
        secret=row.webhook.secret,
        body=_body(row),
        attempt=row.attempts + 1,
        headers=pushing.headers(row.webhook),
    )


def _body(row: Delivery) -> bytes:
    event = Event.objects.get(log__session=row.session_id, log__name=LEDGER, seq=row.seq)
    told: dict[str, Any] = orjson.loads(event.body)
    if (push := pushing.of(row.webhook)) is not None:
        return pushing.body(push, told)
    session = Session.objects.values("key", "name", "state", "environment").get(pk=row.session_id)
    return orjson.dumps(
        {
            "type": told["type"],
            "timestamp": told["ts"],
            "seq": told["seq"],
            "actor": told["actor"],
            "session": {"id": str(row.session_id), **session},
            "data": told["data"],
        }
    )


def sent(parcel: Parcel, *, lease_id: UUID, status: int) -> bool:
    """Note that the receiver took a delivery; False when it was lost to another process."""
    with database.atomic():
        pushing.let_go(_mine(parcel, lease_id))
        return bool(
            _mine(parcel, lease_id).update(
                state=SENT, status=status, error="", sent_at=timezone.now(), lease=None
            )
        )


def failed(
    parcel: Parcel, *, lease_id: UUID, status: int | None, error: str, chance: float
) -> bool:
    """
    Note that a delivery did not get through: it is sent again later, or given up.

    A receiver that says 410 Gone hears no more.
    """
    wait = webhooks.wait_seconds(parcel.attempt, chance=chance)
    is_over = wait is None or status == webhooks.GONE
    with database.atomic():
        mine = _mine(parcel, lease_id)
        if status == webhooks.GONE:
            Webhook.objects.filter(deliveries__in=mine).update(is_active=False)
        if is_over:
            pushing.let_go(mine)
        return bool(
            mine.update(
                state=FAILED if is_over else DUE,
                status=status,
                error=error[:LONGEST_ERROR],
                next_at=timezone.now() + timedelta(seconds=wait or 0),
                lease=None,
            )
        )


def _mine(parcel: Parcel, lease_id: UUID) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        pk=parcel.delivery_id, lease=lease_id, state=DUE, attempts=parcel.attempt
    )


def give_back(parcels: Sequence[Parcel], *, lease_id: UUID) -> None:
    """Let any process send what this one has claimed and not sent."""
    ids = [parcel.delivery_id for parcel in parcels]
    with database.atomic():
        Delivery.objects.filter(pk__in=ids, lease=lease_id, state=DUE).update(lease=None)


def forget() -> int:
    """Remove some of what was sent or given up a month ago; returns how many."""
    old = Delivery.objects.exclude(state=DUE).filter(created_at__lt=timezone.now() - KEPT)
    ids = list(old.values_list("pk", flat=True)[:SLICE])
    with database.atomic():
        return Delivery.objects.filter(pk__in=ids).delete()[0]
