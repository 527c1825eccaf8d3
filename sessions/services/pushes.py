"""Where clients of A2A want to be told of their tasks."""

import secrets
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import uuid4

from aegis_project import sealed
from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import a2a
from sessions.core import webhooks as rules
from sessions.core.events import WorkEvent
from sessions.models import Hearing, Push, Run, Webhook
from streaming.models import Event
from streaming.models.log import LEDGER
from streaming.services.commands import Trace, command

MOST = 10
LONGEST_NAME, LONGEST_SECRET = 128, 4096


@dataclass(frozen=True, slots=True)
class Address:
    """Where to tell of a task: the client's ``name`` for it, and what it wants to be shown."""

    url: str
    name: str = ""
    token: str = field(default="", repr=False)
    scheme: str = ""
    credentials: str = field(default="", repr=False)


class Given(NamedTuple):
    """An address of a task."""

    push: Push

    def audit(self) -> Trace:
        row = self.push
        detail = {"url": row.webhook.url, "name": row.name}
        return Trace(session_id=row.webhook.session_id, target=str(row.run_id), detail=detail)


@command("push.define", scope="webhooks:write")
def define(
    *, principal: Principal, run: Run, address: Address, from_beginning: bool = False
) -> Given:
    """
    Tell an address of a task: of what comes, or of all since it was given.

    One of the same name takes the place of the one before. What is sent is signed with the token,
    if there is one: the client knows it.

    :raises ValidationFailed: for an address that cannot be, or too many of them
    """
    _check(run, address)
    rules.check_url(address.url)
    name = address.name or str(uuid4())
    Webhook.objects.filter(push__run=run, push__name=name).delete()
    key = address.token.encode() or secrets.token_bytes(rules.SECRET_BYTES)
    webhook = Webhook.objects.create(
        url=address.url,
        events=sorted(a2a.TOLD),
        team_id=run.session.team_id,
        session_id=run.session_id,
        secret=sealed.seal(rules.secret_of(key)),
        created_by=principal.actor,
    )
    Hearing.objects.create(
        webhook=webhook, session_id=run.session_id, seq=_seq(run, from_beginning=from_beginning)
    )
    return Given(
        Push.objects.create(
            webhook=webhook,
            run=run,
            name=name,
            token=sealed.seal(address.token) if address.token else "",
            scheme=address.scheme,
            credentials=sealed.seal(address.credentials) if address.credentials else "",
        )
    )


class Removed(NamedTuple):
    """An address that a task is not told to any more."""

    run: Run
    name: str

    def audit(self) -> Trace:
        detail = {"name": self.name}
        return Trace(session_id=self.run.session_id, target=str(self.run.pk), detail=detail)


@command("push.remove", scope="webhooks:write")
def remove(*, principal: Principal, run: Run, name: str) -> Removed:
    """Tell an address of a task no more; one that is not told already is fine."""
    Webhook.objects.filter(push__run=run, push__name=name).delete()
    return Removed(run, name)


def _check(run: Run, address: Address) -> None:
    texts = (address.token, address.scheme, address.credentials)
    is_kept = len(address.name) <= LONGEST_NAME and len(address.scheme) <= 64
    is_sent = all(one.isascii() and (one.isprintable() or not one) for one in texts)
    if not is_kept or not is_sent or any(len(one) > LONGEST_SECRET for one in texts):
        raise ValidationFailed("An id, token or authentication cannot be kept or sent.")
    others = Push.objects.filter(run=run).exclude(name=address.name)
    if others.count() >= MOST:
        raise ValidationFailed(f"A task is told to at most {MOST} addresses.", most=MOST)


def _seq(run: Run, *, from_beginning: bool) -> int:
    """Up to which event nothing is told."""
    events = Event.objects.filter(log__session=run.session_id, log__name=LEDGER)
    if from_beginning:
        queued = events.filter(type=WorkEvent.RUN_QUEUED.value, ts__gte=run.created_at)
        return queued.order_by("seq").values_list("seq", flat=True).first() or 0
    return events.order_by("-seq").values_list("seq", flat=True).first() or 0
