"""Seed 001 over HTTP: agent sessions, their states and their statistics."""

from typing import Annotated

from django.utils import timezone
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.core import agent_sessions as words
from sessions.core.agent_sessions import ChangeInput, CreateInput, SessionType, StateMissing, Word
from sessions.core.dialects import TABLE, agent_session_kinds, agent_session_states
from sessions.dialects import agent_session_orders as orders
from sessions.dialects import agent_session_shapes as shapes
from sessions.dialects.agent_session_shapes import (
    AgentSessionShape,
    AgentSessionShapes,
    RefusalShape,
    StatisticsShape,
)
from sessions.dialects.anything import AnyBody
from sessions.selectors import lists, sessions, tallies
from sessions.services import lifecycle
from streaming.api import codecs
from streaming.api.base import once
from streaming.api.documents import Cursor
from streaming.api.schema import operation
from streaming.selectors import pages

TAG = "agent-sessions"
ADDRESS = "/api/v1/agent-sessions"
EXAMPLE = {
    "sessionType": "simulation",
    "sessionId": "sim-ops-2025-001",
    "context": {
        "agents": ["DetectionAgent", "TriageAgent"],
        "state": {"status": "init"},
        "policy": "ops_policy.json",
        "dataSource": "recent_ops_logs.json",
        "objective": "Simulate incident detection and resolution",
        "additionalSettings": {"maxSteps": 10, "duration": "1h", "enableAudit": True},
    },
}


class ListQuery(Struct, kw_only=True, rename="camel"):
    """Which sessions: of a type, in a state; how many, and behind which."""

    session_type: SessionType | UnsetType = UNSET
    state: Word | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most.")] = 200
    cursor: Cursor = ""


class AgentSessionView(AnyBody):
    """An address of seed 001: its refusals have its shape."""

    words = TABLE

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        said = response.data["error"]
        if isinstance(exc, StateMissing):
            refusal = RefusalShape(error=said["message"])
        else:
            refusal = shapes.refusal(said, session=self.kwargs.get("session", ""))
        response.data = codecs.show(refusal)
        return response


class AgentSessions(AgentSessionView):
    """All sessions, as seed 001 sees them."""

    examples = {"POST": EXAMPLE}

    @operation(
        "agent_sessions.list",
        tag=TAG,
        query=ListQuery,
        answers={200: AgentSessionShapes},
        failure=RefusalShape,
    )
    def get(self, _request: Request) -> Response:
        """List sessions in short, the newest first."""
        query = self.asked(ListQuery)
        rows = lists.readable(self.principal)
        if query.session_type is not UNSET:
            rows = rows.filter(kind__in=agent_session_kinds(query.session_type))
        if query.state is not UNSET:
            rows = rows.filter(state__in=agent_session_states(words.word(query.state)))
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        views = sessions.views(page.rows, now=timezone.now())
        found = AgentSessionShapes(
            count=rows.order_by().count(),
            sessions=[shapes.listed(view) for view in views],
            next=page.next or UNSET,
        )
        return Response(codecs.show(found))

    @operation(
        "agent_sessions.create.post",
        tag=TAG,
        body=CreateInput,
        answers={201: AgentSessionShape},
        failure=RefusalShape,
    )
    @once
    def post(self, _request: Request) -> Response:
        """Make a session in the state init; so many in a minute, then 429 with Retry-After."""
        made = orders.create(self.principal, self.sent())
        headers = {"Location": f"{ADDRESS}/{made.key}"}
        return Response(codecs.show(shapes.whole(made)), status=201, headers=headers)


class Statistics(AgentSessionView):
    """How many sessions there are."""

    @operation(
        "agent_sessions.stats", tag=TAG, answers={200: StatisticsShape}, failure=RefusalShape
    )
    def get(self, _request: Request) -> Response:
        """Count the sessions by type and state; what does not occur is left out."""
        counted = tallies.by_kind_and_state(self.principal)
        return Response(codecs.show(shapes.statistics(counted)))


class OneAgentSession(AgentSessionView):
    """One session, by its sessionId."""

    examples = {"PATCH": {"state": "completed", "result": {"metricsCollected": 100}}}

    @operation(
        "agent_sessions.read", tag=TAG, answers={200: AgentSessionShape}, failure=RefusalShape
    )
    def get(self, _request: Request, session: str) -> Response:
        """Read a session with its context."""
        row = lists.read(self.principal, session)
        return Response(codecs.show(shapes.whole(row)))

    @operation(
        "agent_sessions.change",
        tag=TAG,
        body=ChangeInput,
        answers={200: AgentSessionShape},
        failure=RefusalShape,
    )
    def patch(self, _request: Request, session: str) -> Response:
        """
        Bring a session into another state; the one that it shows already changes nothing.

        With running it is answered when all required components are ready, or the start failed.
        """
        row = orders.change(self.principal, session, self.sent())
        return Response(codecs.show(shapes.moved(row)))

    @operation("agent_sessions.delete", tag=TAG, answers={204: None}, failure=RefusalShape)
    def delete(self, _request: Request, session: str) -> Response:
        """End a session and hide it."""
        lifecycle.delete(principal=self.principal, session=session)
        return Response(status=204)
