"""Seed 002 over HTTP: sessions, agents and their tasks."""

from typing import Annotated, Any

from django.utils import timezone
from msgspec import UNSET, Meta, Struct
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.principal import ANONYMOUS, Principal
from sessions import commands
from sessions.core import tasks as words
from sessions.core.lifecycle import CLOSED, Kind
from sessions.core.runs import OPEN
from sessions.core.tasks import TaskRequest
from sessions.dialects import task_orders
from sessions.dialects import task_shapes as shapes
from sessions.dialects.anything import AnyBody
from sessions.dialects.task_shapes import (
    AgentShape,
    AgentShapes,
    FaultDocument,
    SessionShape,
    SessionShapes,
    TaskShape,
)
from sessions.models import Run
from sessions.selectors import agents, lists, sessions
from sessions.selectors import tasks as reading
from sessions.services import creation, lifecycle, tasks
from sessions.services.creation import Draft
from streaming.api import codecs
from streaming.api.base import alone, once
from streaming.api.schema import operation
from streaming.selectors import pages

WAIT_SECONDS = 60.0
ASYNC = "respond-async"
EXAMPLE = {"input": {"type": "text/plain", "content": "What are AI agents?"}}


class TaskSessionInput(Struct, kw_only=True, rename="camel"):
    """A session to make, with the agent that it is bound to."""

    agent_id: Annotated[str, Meta(min_length=1, max_length=100)]
    metadata: dict[str, Any] = {}
    state: dict[str, Any] = {}

    def __post_init__(self) -> None:
        codecs.check_kept(self.metadata, self.state)


class ListQuery(Struct, kw_only=True):
    """Which sessions: of an agent; how many, and behind which."""

    agent_id: Annotated[str, Meta(max_length=100)] = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200
    cursor: Annotated[str, Meta(max_length=500)] = ""


class TaskView(AnyBody):
    """An address of seed 002: its refusals have its shape."""

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        said = response.data["error"]
        word = words.code(said["code"])
        if word == "AUTH_REQUIRED" and self.request.headers.get("Authorization"):
            word = "INVALID_TOKEN"
        fault = {"code": word, "message": said["message"], "details": said["details"]}
        response.data = {"error": fault}
        return response

    def task(self, run: Run, *, status: int) -> Response:
        """A task as it stands."""
        return Response(codecs.show(shapes.task(run)), status=status)


class Sessions(TaskView):
    """The open sessions."""

    examples = {"POST": {"agentId": "assistant", "metadata": {"user": "john"}}}

    @operation(
        "tasks.sessions.list",
        tag="tasks",
        query=ListQuery,
        answers={200: SessionShapes},
        failure=FaultDocument,
    )
    def get(self, _request: Request) -> Response:
        """List the open sessions, or those of an agent."""
        query = self.asked(ListQuery)
        rows = lists.readable(self.principal)
        rows = rows.exclude(state__in=[state.value for state in CLOSED])
        if query.agent_id:
            rows = rows.filter(agent=query.agent_id)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        views = sessions.views(page.rows, now=timezone.now())
        found = SessionShapes(
            sessions=[shapes.session(view) for view in views],
            total=rows.order_by().count(),
            next=page.next or UNSET,
        )
        return Response(codecs.show(found))

    @operation(
        "tasks.sessions.create.post",
        tag="tasks",
        body=TaskSessionInput,
        answers={201: SessionShape},
        failure=FaultDocument,
    )
    @once
    def post(self, _request: Request) -> Response:
        """Make a session with an agent; its first task starts it."""
        asked = words.read(self.sent(), TaskSessionInput)
        agent = agents.find(self.principal, asked.agent_id)
        draft = Draft(kind=Kind.CHAT, agent=agent.slug, metadata=asked.metadata, memory=asked.state)
        made = creation.create(principal=self.principal, draft=draft).session
        return Response(codecs.show(shapes.session_alone(made)), status=201)


class OneSession(TaskView):
    """One open session."""

    @operation(
        "tasks.sessions.read", tag="tasks", answers={200: SessionShape}, failure=FaultDocument
    )
    def get(self, _request: Request, session: str) -> Response:
        """Read a session."""
        self.principal.require("sessions:read")
        row = tasks.opened(self.principal, session)
        return Response(codecs.show(shapes.session_alone(row)))

    @operation("tasks.sessions.end", tag="tasks", answers={204: None}, failure=FaultDocument)
    def delete(self, _request: Request, session: str) -> Response:
        """End a session; it is not found here any more."""
        row = tasks.opened(self.principal, session)
        lifecycle.end(principal=self.principal, session=row, reason="client")
        return Response(status=204)


class Giving(TaskView):
    """An address that takes tasks."""

    examples = {"POST": EXAMPLE}

    def give(self, *, session: str = "", agent: str = "") -> Response:
        """Carry out a task, and answer when it is done, waits for somebody, or takes too long."""
        asked = words.request(self.sent())
        given = task_orders.ordered(asked, agent=agent, session=session)
        run = tasks.give(principal=self.principal, task=given)
        if asked.return_immediately or prefers_async(self.request):
            response = self.task(reading.again(run), status=202)
            response["Preference-Applied"] = ASYNC
            return response
        row = commands.worked(run, timeout_seconds=WAIT_SECONDS)
        return self.task(row, status=202 if row.state in OPEN else 200)


class SessionTasks(Giving):
    """The tasks of a session."""

    @operation(
        "tasks.sessions.tasks.post",
        tag="tasks",
        body=TaskRequest,
        answers={200: TaskShape, 202: TaskShape},
        failure=FaultDocument,
    )
    @alone
    def post(self, _request: Request, session: str) -> Response:
        """
        Carry out a task in the context of a session.

        200 with the task when it is over; 202 while it goes on: after a minute, when it waits for
        somebody, or at once with `Prefer: respond-async` or `returnImmediately`.
        """
        return self.give(session=session)


class Agents(TaskView):
    """The agents."""

    permission_classes = [AllowAny]

    @operation("tasks.agents.list", tag="tasks", answers={200: AgentShapes}, failure=FaultDocument)
    def get(self, request: Request) -> Response:
        """List the cards of all agents that you may know of; without credentials the public ones."""
        base = request.build_absolute_uri(request.path.rstrip("/"))
        rows = agents.visible(asking(request)).order_by("slug")
        cards = [shapes.agent(row, base=base) for row in rows]
        return Response(codecs.show(AgentShapes(agents=cards, total=len(cards))))


class OneAgent(TaskView):
    """One agent."""

    permission_classes = [AllowAny]

    @operation("tasks.agents.read", tag="tasks", answers={200: AgentShape}, failure=FaultDocument)
    def get(self, request: Request, agent: str) -> Response:
        """Read an agent's card."""
        row = agents.find(asking(request), agent)
        here = request.build_absolute_uri(request.path.rstrip("/"))
        return Response(codecs.show(shapes.agent(row, base=here.rpartition("/")[0])))


class AgentTasks(Giving):
    """The tasks of an agent."""

    @operation(
        "tasks.agents.tasks.post",
        tag="tasks",
        body=TaskRequest,
        answers={200: TaskShape, 202: TaskShape},
        failure=FaultDocument,
    )
    @alone
    def post(self, _request: Request, agent: str) -> Response:
        """Carry out a task, in the session that its context names or in one of its own."""
        return self.give(agent=agent)


class OneTask(TaskView):
    """One task of an agent."""

    @operation(
        "tasks.agents.tasks.read", tag="tasks", answers={200: TaskShape}, failure=FaultDocument
    )
    def get(self, _request: Request, agent: str, task: str) -> Response:
        """Read a task, by your label of it or the id of its run."""
        row = reading.find(self.principal, agent=agent, task=task)
        return Response(codecs.show(shapes.task(row)))


def asking(request: Request) -> Principal:
    """Who asks; nobody is somebody, too."""
    return request.auth if isinstance(request.auth, Principal) else ANONYMOUS


def prefers_async(request: Request) -> bool:
    """Whether the client wants no waiting (RFC 7240)."""
    asked = request.headers.get("Prefer", "").lower()
    return any(one.partition(";")[0].strip() == ASYNC for one in asked.split(","))
