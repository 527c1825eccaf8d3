"""What the webhook of a task sends: of its run alone, as messages of A2A, until that is over."""

from typing import Any

import orjson
from django.db.models import QuerySet

from aegis_project import sealed
from sessions.core import a2a
from sessions.models import Delivery, Push, Webhook
from sessions.selectors import a2a as reading

MEDIA_TYPE = "application/a2a+json"


def of(webhook: Webhook) -> Push | None:
    """What makes a webhook one of a task."""
    return getattr(webhook, "push", None)


def concerns(webhook: Webhook, body: str) -> bool:
    """Whether a webhook hears of this event, as far as that hangs on whose it is."""
    push = of(webhook)
    return push is None or orjson.loads(body)["data"].get("run") == str(push.run_id)


def headers(webhook: Webhook) -> dict[str, str]:
    """What the client of a task wants to be shown with each message."""
    push = of(webhook)
    if push is None:
        return {}
    found = {"Content-Type": MEDIA_TYPE}
    if push.token:
        found["X-A2A-Notification-Token"] = sealed.unseal(push.token)
    if push.scheme and push.credentials:
        found["Authorization"] = f"{push.scheme} {sealed.unseal(push.credentials)}"
    return found


def body(push: Push, event: dict[str, Any]) -> bytes:
    """An event of the ledger as the task's client reads it: the whole task at its end."""
    if a2a.ends(event["type"]):
        return orjson.dumps({"task": reading.snapshot(push.run).task})
    return orjson.dumps(
        a2a.moved(
            event["type"], task=str(push.run_id), context=push.run.session.key, at=event["ts"]
        )
    )


def let_go(sent: QuerySet[Delivery]) -> None:
    """Let the webhook of a task rest when the end of its run is through, or given up."""
    last = sent.filter(type__in=[one for one in a2a.TOLD if a2a.ends(one)])
    Webhook.objects.filter(push__isnull=False, deliveries__in=last).update(is_active=False)
