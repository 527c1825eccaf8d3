"""Webhooks, and what was sent to them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.core.webhooks import LONGEST_PATTERN, LONGEST_URL, MOST_PATTERNS
from sessions.models import Delivery, Webhook
from sessions.selectors import sessions, teams
from sessions.selectors import webhooks as reading
from sessions.services import webhooks
from sessions.worker import webhook_trial
from streaming.api import codecs
from streaming.api.base import Endpoint, alone, once
from streaming.api.codecs import Timestamp
from streaming.api.documents import PageQuery
from streaming.api.schema import operation
from streaming.selectors import pages

Address = Annotated[str, Meta(min_length=1, max_length=LONGEST_URL)]
Patterns = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=LONGEST_PATTERN)]],
    Meta(
        min_length=1,
        max_length=MOST_PATTERNS,
        description="Types of events, or patterns in which * is any text: approval.*, run.*",
    ),
]


class WebhookDocument(Struct, kw_only=True):
    """
    An address that hears of events, each signed with its secret.

    `secret` stands only in the answer that makes it.
    """

    id: UUID
    url: str
    events: list[str]
    team: str
    session: UUID | None
    session_key: str
    is_active: bool
    created_by: str
    created_at: Timestamp
    secret: str | UnsetType = UNSET


class WebhookPage(Struct, kw_only=True):
    """Webhooks, and the cursor of the page that follows."""

    data: list[WebhookDocument]
    next: str


class DeliveryDocument(Struct, kw_only=True):
    """
    One event on its way, or arrived.

    `state` is due, sent or failed (given up); `status` the receiver's last answer.
    """

    id: UUID
    session: UUID
    seq: int
    type: str
    state: Literal["due", "sent", "failed"]
    attempts: int
    next_at: Timestamp
    status: int | None
    error: str
    created_at: Timestamp
    sent_at: Timestamp | None


class DeliveryPage(Struct, kw_only=True):
    """Deliveries, and the cursor of the page that follows."""

    data: list[DeliveryDocument]
    next: str


class TrialDocument(Struct, kw_only=True):
    """What came of a test: the receiver's answer, or why there was none."""

    is_taken: bool
    status: int | None
    error: str


class WebhookInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who shall hear of what: of one session, or of all of a team."""

    url: Address
    events: Patterns
    team: Annotated[str, Meta(max_length=150)] = ""
    session: Annotated[str, Meta(max_length=128)] = ""


class WebhookChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a webhook that are to change; those left out stay."""

    url: Address | UnsetType = UNSET
    events: Patterns | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET

    def given(self) -> dict[str, Any]:
        """What was said, by name."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not UNSET}


class DeliveryQuery(PageQuery, kw_only=True):
    """Which deliveries."""

    state: Literal["due", "sent", "failed", "all"] = "all"


class Webhooks(Endpoint):
    """The addresses that hear of your teams' sessions."""

    examples = {"POST": {"url": "https://example.com/aegis", "events": ["approval.*", "run.*"]}}

    @operation(
        "webhooks.list",
        tag="webhooks",
        query=PageQuery,
        fields=WebhookDocument,
        answers={200: WebhookPage},
    )
    def get(self, _request: Request) -> Response:
        """List webhooks, the newest first."""
        query = self.asked(PageQuery)
        rows = reading.readable(self.principal)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        found = [codecs.show(document(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(found, query.fields, WebhookDocument), "next": page.next}
        )

    @operation("webhooks.define", tag="webhooks", body=WebhookInput, answers={201: WebhookDocument})
    @once
    def post(self, _request: Request) -> Response:
        """Let an address hear of events from now on; its secret is shown this once."""
        order, principal = self.ordered(WebhookInput), self.principal
        principal.require("webhooks:write")
        session = sessions.find(principal, order.session) if order.session else None
        made = webhooks.define(
            principal=principal,
            url=order.url,
            events=order.events,
            team=session.team if session else teams.for_new(principal, order.team),
            session=session,
        )
        return Response(codecs.show(document(made.webhook, secret=made.secret)), status=201)


class OneWebhook(Endpoint):
    """One webhook."""

    examples = {"PATCH": {"events": ["approval.requested"], "is_active": True}}

    @operation("webhooks.read", tag="webhooks", answers={200: WebhookDocument})
    def get(self, _request: Request, webhook: str) -> Response:
        """Read a webhook."""
        return Response(codecs.show(document(reading.find(self.principal, webhook))))

    @operation(
        "webhooks.change", tag="webhooks", body=WebhookChanges, answers={200: WebhookDocument}
    )
    def patch(self, _request: Request, webhook: str) -> Response:
        """Change a webhook; one that hears again is told what it missed."""
        changes = self.ordered(WebhookChanges).given()
        changed = webhooks.change(principal=self.principal, webhook=webhook, changes=changes)
        return Response(codecs.show(document(changed.webhook)))

    @operation("webhooks.remove", tag="webhooks", answers={204: None})
    def delete(self, _request: Request, webhook: str) -> Response:
        """Let the address hear no more."""
        webhooks.remove(principal=self.principal, webhook=webhook)
        return Response(status=204)


class Rotate(Endpoint):
    """Another secret."""

    @operation("webhooks.rotate.post", tag="webhooks", answers={200: WebhookDocument})
    @once
    def post(self, _request: Request, webhook: str) -> Response:
        """Sign with another secret from now on; it is shown this once."""
        made = webhooks.rotate(principal=self.principal, webhook=webhook)
        return Response(codecs.show(document(made.webhook, secret=made.secret)))


class Test(Endpoint):
    """Whether the receiver takes what it is sent."""

    @operation("webhooks.test.post", tag="webhooks", answers={200: TrialDocument})
    @alone
    def post(self, _request: Request, webhook: str) -> Response:
        """Send a signed `webhook.test` at once, and tell what came back within 15 s."""
        status, error = webhook_trial.send(principal=self.principal, webhook=webhook)
        found = TrialDocument(is_taken=not error, status=status, error=error)
        return Response(codecs.show(found))


class Deliveries(Endpoint):
    """What was sent to a webhook, or is to be."""

    @operation(
        "webhooks.deliveries",
        tag="webhooks",
        query=DeliveryQuery,
        fields=DeliveryDocument,
        answers={200: DeliveryPage},
    )
    def get(self, _request: Request, webhook: str) -> Response:
        """List deliveries, the newest first."""
        query = self.asked(DeliveryQuery)
        rows = reading.deliveries(reading.find(self.principal, webhook))
        if query.state != "all":
            rows = rows.filter(state=query.state)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        found = [codecs.show(shown(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(found, query.fields, DeliveryDocument), "next": page.next}
        )


class Redeliver(Endpoint):
    """Send a delivery again."""

    @operation("webhooks.redeliver.post", tag="webhooks", answers={200: DeliveryDocument})
    @once
    def post(self, _request: Request, webhook: str, delivery: str) -> Response:
        """Send it again under its id, whatever became of it."""
        again = webhooks.redeliver(principal=self.principal, webhook=webhook, delivery=delivery)
        return Response(codecs.show(shown(again.delivery)))


def document(row: Webhook, *, secret: str = "") -> WebhookDocument:
    """The document of a webhook."""
    return WebhookDocument(
        id=row.pk,
        url=row.url,
        events=row.events,
        team=row.team.name,
        session=row.session_id,
        session_key=row.session.key if row.session else "",
        is_active=row.is_active,
        created_by=row.created_by,
        created_at=row.created_at,
        secret=secret or UNSET,
    )


def shown(row: Delivery) -> DeliveryDocument:
    """The document of a delivery."""
    names = ("seq", "type", "state", "attempts", "next_at", "status", "error")
    return DeliveryDocument(
        id=row.pk,
        session=row.session_id,
        created_at=row.created_at,
        sent_at=row.sent_at,
        **{name: getattr(row, name) for name in names},
    )
