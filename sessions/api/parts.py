"""What belongs to one session: its components, its ledger, its tokens."""

from typing import Annotated
from uuid import UUID

import orjson
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from components import selectors
from components.api.documents import ComponentDocument, ComponentList, CredentialDocument
from components.api.documents import component as component_document
from components.api.documents import credential as credential_document
from sessions.api import feeds
from sessions.api.inputs import TokenInput
from sessions.selectors import sessions
from sessions.services import creation
from streaming.api import codecs, sse
from streaming.api.base import Endpoint, once
from streaming.api.documents import EventPage, Limit
from streaming.api.schema import operation
from streaming.api.sse import LAST_ID, Streaming
from streaming.core.position import MAX_SEQ
from streaming.core.topics import LEDGER
from streaming.selectors import cursors, events

Seq = Annotated[int, Meta(ge=0, le=MAX_SEQ)]


class TokenDocument(Struct, kw_only=True):
    """A new session token, shown this once, and what is kept of it."""

    session_token: str
    credential: CredentialDocument


class EventQuery(Struct, kw_only=True):
    """Which events: those behind `after`, or the newest ones ahead of `before`."""

    after: Seq = 0
    before: Seq = 0
    limit: Limit = 100


class SessionComponents(Endpoint):
    """The components of a session."""

    @operation("sessions.components", tag="components", answers={200: ComponentList})
    def get(self, _request: Request, session: str) -> Response:
        """List the components in the order in which they were attached or came."""
        found = selectors.of_session(self.principal, _id(self, session))
        return Response({"data": [codecs.show(component_document(one)) for one in found]})


class SessionComponent(Endpoint):
    """One component of a session, by id or name."""

    @operation("sessions.component", tag="components", answers={200: ComponentDocument})
    def get(self, _request: Request, session: str, component: str) -> Response:
        """Read a component; a unique beginning of its id or name will do."""
        self.principal.require("components:read")
        found = selectors.find(component, session_id=_id(self, session))
        document = component_document(found, cursors.of_component(found.pk))
        return Response(codecs.show(document))


class SessionEvents(Streaming):
    """The ledger of a session."""

    @operation(
        "sessions.events",
        tag="events",
        query=EventQuery,
        parameters=[LAST_ID],
        answers={
            (200, "application/json"): EventPage,
            (200, sse.MEDIA_TYPE): OpenApiTypes.OBJECT,
            204: None,
        },
    )
    def get(self, request: Request, session: str) -> HttpResponseBase:
        """
        Read events in their order, without gaps.

        With `Accept: text/event-stream` they come as they happen, each with its number as id; 204
        when the session is closed and nothing is left to come.
        """
        query = self.asked(EventQuery)
        if self.is_streaming:
            return self.stream(session, sse.number(sse.last_id(request, str(query.after))))
        extract = events.extract(
            principal=self.principal,
            session_id=_id(self, session),
            after=query.after,
            before=query.before,
            limit=query.limit,
        )
        return Response(
            {
                "data": [orjson.Fragment(body) for body in extract.bodies],
                "epoch": extract.epoch,
                "start": extract.start,
                "head": extract.head,
                "next": extract.last,
            }
        )

    def stream(self, session: str, after: int) -> HttpResponseBase:
        """The events behind number ``after`` as they come."""
        row = sessions.find(self.principal, session)
        left = events.left(principal=self.principal, session_id=row.pk, after=after)
        if not left and not row.is_open:
            return Response(status=204)
        key, is_over = (str(row.pk), LEDGER), not row.is_open
        return sse.answer(self, lambda here: feeds.ledger(here, key, after=after, is_over=is_over))


class SessionTokens(Endpoint):
    """Tokens with which components of a session connect."""

    @operation(
        "sessions.tokens.post", tag="credentials", body=TokenInput, answers={201: TokenDocument}
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Issue a further session token; its secret is shown this once."""
        order = self.ordered(TokenInput)
        issued = creation.issue_token(
            principal=self.principal,
            session=session,
            component=order.component,
            patterns=order.patterns,
            lifetime=order.lifetime,
        )
        kept = credential_document(issued.credential)
        document = TokenDocument(session_token=issued.secret, credential=kept)
        return Response(codecs.show(document), status=201)


def _id(view: Endpoint, session: str) -> UUID:
    return sessions.find(view.principal, session).pk
