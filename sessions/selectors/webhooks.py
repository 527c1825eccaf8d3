"""Reading webhooks and what was sent to them."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from aegis_project.kit.principal import Principal
from sessions.core import keys
from sessions.core.errors import DeliveryNotFound, WebhookNotFound
from sessions.models import Delivery, Hearing, Push, Run, Webhook
from streaming.models import Log
from streaming.models.log import LEDGER

AT_ONCE = 500


def readable(principal: Principal) -> QuerySet[Webhook]:
    """
    The webhooks of the principal's teams, without those that tasks brought.

    :raises PermissionDenied: without the scope webhooks:read
    """
    principal.require("webhooks:read")
    rows = Webhook.objects.filter(push=None).select_related("team", "session")
    return rows if principal.teams is None else rows.filter(team__in=principal.teams)


def find(principal: Principal, reference: UUID | str) -> Webhook:
    """
    One webhook.

    :raises PermissionDenied: without the scope webhooks:read
    :raises WebhookNotFound: if it is not there for the principal
    """
    uuid = keys.as_uuid(str(reference))
    found = readable(principal).filter(pk=uuid).first() if uuid else None
    if found is None:
        raise WebhookNotFound(webhook=str(reference)[:64])
    return found


def deliveries(webhook: Webhook) -> QuerySet[Delivery]:
    """What was sent to a webhook, or is to be."""
    return Delivery.objects.filter(webhook=webhook)


def delivery(webhook: Webhook, reference: UUID | str) -> Delivery:
    """
    One delivery of a webhook.

    :raises DeliveryNotFound: if it has none of this id
    """
    uuid = keys.as_uuid(str(reference))
    found = deliveries(webhook).filter(pk=uuid).first() if uuid else None
    if found is None:
        raise DeliveryNotFound(delivery=str(reference)[:64])
    return found


def active() -> list[Webhook]:
    """The webhooks that hear."""
    return list(Webhook.objects.filter(is_active=True).order_by("created_at"))


def behind(session_ids: Collection[str] | None = None) -> Iterator[tuple[UUID, UUID]]:
    """
    Webhooks and the sessions of which they have not heard the newest, of these or of all.

    A session of which one has heard nothing counts if it was made or moved since there is the
    webhook; the open ones that were there before are known from its beginning on.
    """
    for webhook in active():
        heard = Hearing.objects.filter(webhook=webhook, session=OuterRef("session"))
        logs = Log.objects.filter(name=LEDGER, session__team=webhook.team_id)
        if webhook.session_id is not None:
            logs = logs.filter(session=webhook.session_id)
        if session_ids is not None:
            logs = logs.filter(session__in=list(session_ids))
        since = webhook.created_at
        is_new = Q(session__created_at__gte=since) | Q(session__state_changed_at__gte=since)
        rows = logs.annotate(heard=Subquery(heard.values("seq"))).filter(
            Q(heard__lt=F("head")) | Q(heard=None) & is_new
        )
        for session_id in rows.values_list("session_id", flat=True)[:AT_ONCE]:
            yield webhook.pk, session_id


def next_in_seconds() -> float | None:
    """In how many seconds the next delivery is due; None if there is none."""
    row = Delivery.objects.filter(state="due", webhook__is_active=True).order_by("next_at").first()
    if row is None:
        return None
    return max(0.0, (row.next_at - timezone.now()) / timedelta(seconds=1))


def pushes(run: Run) -> QuerySet[Push]:
    """The addresses that a task is told to, in the order in which they were given."""
    return Push.objects.filter(run=run).select_related("webhook").order_by("pk")
