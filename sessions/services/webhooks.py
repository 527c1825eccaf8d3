"""Making, changing and removing webhooks, and sending again what did not get through."""

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import orjson
from django.contrib.auth.models import Group
from django.utils import timezone

from aegis_project import sealed
from aegis_project.kit.errors import PermissionDenied
from aegis_project.kit.principal import Principal
from components.core.events import ComponentEvent
from sessions.core import webhooks as rules
from sessions.core.events import SessionEvent, WorkEvent
from sessions.core.lifecycle import OPEN
from sessions.models import Delivery, Hearing, Session, Webhook
from sessions.selectors import webhooks
from sessions.services.deliveries import Parcel
from streaming.models import Log
from streaming.models.log import LEDGER
from streaming.services.commands import Trace, command

TYPES = [one.value for kind in (SessionEvent, WorkEvent, ComponentEvent) for one in kind]
SLICE = 1000
TEST = "webhook.test"
"""The type of what is sent to try a receiver; no ledger has such an event."""


class Made(NamedTuple):
    """A webhook and, where it is new, its secret, which is shown this once."""

    webhook: Webhook
    secret: str = ""

    def audit(self) -> Trace:
        row = self.webhook
        detail = {"url": row.url, "events": row.events, "is_active": row.is_active}
        return Trace(session_id=row.session_id, target=str(row.pk), detail=detail)


@command("webhook.define", scope="webhooks:write")
def define(
    *,
    principal: Principal,
    url: str,
    events: Sequence[str],
    team: Group,
    session: Session | None = None,
) -> Made:
    """
    Let an address hear of events of a team's sessions, or of one session, from now on.

    :raises ValidationFailed: for an address, or for patterns of events that cannot be
    :raises PermissionDenied: for a team that the principal is not of
    """
    rules.check_url(url)
    rules.check_patterns(events, TYPES)
    if not principal.sees_team(team.pk):
        raise PermissionDenied("There is no such team for you.")
    secret = _secret()
    row = Webhook.objects.create(
        url=url,
        events=list(events),
        team=team,
        session=session,
        secret=sealed.seal(secret),
        created_by=principal.actor,
    )
    _begin(row)
    return Made(row, secret)


def _secret() -> str:
    return rules.secret_of(secrets.token_bytes(rules.SECRET_BYTES))


def _begin(webhook: Webhook) -> None:
    """Let it hear nothing of what happened before in the sessions that are open."""
    logs = Log.objects.filter(name=LEDGER, session__team=webhook.team_id, session__state__in=OPEN)
    if webhook.session_id is not None:
        logs = logs.filter(session=webhook.session_id)
    rows = [
        Hearing(webhook=webhook, session_id=session_id, seq=head)
        for session_id, head in logs.values_list("session_id", "head").iterator()
    ]
    Hearing.objects.bulk_create(rows, batch_size=SLICE)


@command("webhook.change", scope="webhooks:write")
def change(*, principal: Principal, webhook: UUID | str, changes: dict[str, Any]) -> Made:
    """
    Change the address, the events, or whether it hears at all.

    :raises WebhookNotFound: if it is not there for the principal
    :raises ValidationFailed: as :func:`define`
    """
    row = _locked(principal, webhook)
    if "url" in changes:
        rules.check_url(changes["url"])
    if "events" in changes:
        rules.check_patterns(changes["events"], TYPES)
    for name in ("url", "events", "is_active"):
        setattr(row, name, changes.get(name, getattr(row, name)))
    row.save()
    return Made(row)


@command("webhook.rotate", scope="webhooks:write")
def rotate(*, principal: Principal, webhook: UUID | str) -> Made:
    """
    Give it another secret; what is sent from now on is signed with that.

    :raises WebhookNotFound: if it is not there for the principal
    """
    row, secret = _locked(principal, webhook), _secret()
    row.secret = sealed.seal(secret)
    row.save(update_fields=["secret"])
    return Made(row, secret)


@command("webhook.remove", scope="webhooks:write")
def remove(*, principal: Principal, webhook: UUID | str) -> Made:
    """
    Let an address hear no more, and forget what was sent to it.

    :raises WebhookNotFound: if it is not there for the principal
    """
    row = _locked(principal, webhook)
    Webhook.objects.filter(pk=row.pk).delete()
    return Made(row)


class Trial(NamedTuple):
    """A parcel that tries whether the receiver of a webhook takes what it is sent."""

    webhook: Webhook
    parcel: Parcel

    def audit(self) -> Trace:
        row = self.webhook
        return Trace(session_id=row.session_id, target=str(row.pk), detail={"url": row.url})


@command("webhook.try", scope="webhooks:write")
def trial(*, principal: Principal, webhook: UUID | str) -> Trial:
    """
    Make a parcel of no event, to be sent once: signed as all are, of the type ``webhook.test``.

    :raises WebhookNotFound: if it is not there for the principal
    """
    row = webhooks.find(principal, webhook)
    told = {
        "type": TEST,
        "timestamp": timezone.now().isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "seq": 0,
        "actor": principal.actor,
        "session": None,
        "data": {"webhook": str(row.pk)},
    }
    parcel = Parcel(uuid4(), row.url, row.secret, orjson.dumps(told), attempt=1)
    return Trial(row, parcel)


class Again(NamedTuple):
    """A delivery that is sent again."""

    delivery: Delivery

    def audit(self) -> Trace:
        row = self.delivery
        return Trace(session_id=row.session_id, target=str(row.pk), detail={"type": row.type})


@command("webhook.redeliver", scope="webhooks:write")
def redeliver(*, principal: Principal, webhook: UUID | str, delivery: UUID | str) -> Again:
    """
    Send a delivery again, under its id, whatever became of it; its attempts begin anew.

    :raises WebhookNotFound: if it is not there for the principal
    :raises DeliveryNotFound: if the webhook has none of this id
    """
    found = webhooks.delivery(webhooks.find(principal, webhook), delivery)
    row = Delivery.objects.select_for_update(of=("self",)).get(pk=found.pk)
    row.state, row.attempts, row.next_at, row.lease = "due", 0, timezone.now(), None
    row.save(update_fields=["state", "attempts", "next_at", "lease"])
    return Again(row)


def _locked(principal: Principal, webhook: UUID | str) -> Webhook:
    found = webhooks.find(principal, webhook)
    return Webhook.objects.select_for_update(of=("self",)).get(pk=found.pk)
