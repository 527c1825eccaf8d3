"""What is asked of one component of a session over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from components.api import documents
from components.api.documents import ComponentDocument
from components.core.asks import LONGEST_SECONDS, Level
from components.services import asks
from sessions.services import participants
from streaming.api import codecs
from streaming.api.base import Endpoint, alone, once
from streaming.api.schema import operation


class DetachedDocument(ComponentDocument, kw_only=True):
    """A component that is not of its session any more; `is_forgotten` says that it cannot be read."""

    is_forgotten: bool


Within = Annotated[float, Meta(ge=0, le=LONGEST_SECONDS)]


class PingInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """How long an answer is waited for."""

    timeout_seconds: Within = 5.0


class LogLevelInput(PingInput, kw_only=True, forbid_unknown_fields=True):
    """How much a component is to log."""

    level: Level


class AnswerDocument(Struct, kw_only=True):
    """
    Whether a component answered what it was asked, and after how long; old clients do not.

    `error` is why it did not do it, if it said so; `last_heartbeat_at` when it was heard last.
    """

    component_id: UUID
    name: str
    is_answered: bool
    round_trip_ms: float | None
    error: str
    last_heartbeat_at: datetime | None


def answer(found: participants.Asked, *, within_seconds: float) -> AnswerDocument:
    """The document of what came of asking, once there is an answer or the time is over."""
    is_answered = asks.answered(found.ask, within_seconds=within_seconds)
    row = found.component
    row.refresh_from_db()
    trip = asks.round_trip_ms(found.ask)
    return AnswerDocument(
        component_id=row.pk,
        name=row.name,
        is_answered=is_answered,
        round_trip_ms=None if trip is None else round(trip, 1),
        error=(found.ask.error or {}).get("message", ""),
        last_heartbeat_at=row.last_heartbeat_at,
    )


def detached(found: participants.Moved) -> DetachedDocument:
    """The document of a component that was taken out, or would be."""
    shown = documents.component(found.component)
    values = {name: getattr(shown, name) for name in ComponentDocument.__struct_fields__}
    return DetachedDocument(**values, is_forgotten=found.is_forgotten)


class Detach(Endpoint):
    """A component leaves its session."""

    @operation("components.detach.post", tag="components", answers={200: DetachedDocument})
    @once
    def post(self, _request: Request, session: str, component: str) -> Response:
        """Release a component and wait for it no longer; of whom nothing is here it is forgotten."""
        found = participants.detach(principal=self.principal, session=session, component=component)
        return Response(codecs.show(detached(found)))


class Restart(Endpoint):
    """A component begins anew."""

    @operation("components.restart.post", tag="components", answers={200: ComponentDocument})
    @once
    def post(self, _request: Request, session: str, component: str) -> Response:
        """Have the program of a component begin anew; 409 for one that no launcher runs."""
        found = participants.restart(principal=self.principal, session=session, component=component)
        return Response(codecs.show(documents.component(found.component)))


class Ping(Endpoint):
    """A component answers at once."""

    @operation(
        "components.ping.post", tag="components", body=PingInput, answers={200: AnswerDocument}
    )
    @alone
    def post(self, _request: Request, session: str, component: str) -> Response:
        """Ask a component for a sign of life and wait for it; 409 for one that is not connected."""
        order = self.ordered(PingInput)
        found = participants.ping(principal=self.principal, session=session, component=component)
        return Response(codecs.show(answer(found, within_seconds=order.timeout_seconds)))


class LogLevel(Endpoint):
    """A component logs more, or less."""

    @operation(
        "components.log_level.post",
        tag="components",
        body=LogLevelInput,
        answers={200: AnswerDocument},
    )
    @alone
    def post(self, _request: Request, session: str, component: str) -> Response:
        """Ask a component for a log level; 409 for one that is not connected or knows none."""
        order = self.ordered(LogLevelInput)
        found = participants.log_level(
            principal=self.principal, session=session, component=component, level=order.level
        )
        return Response(codecs.show(answer(found, within_seconds=order.timeout_seconds)))
