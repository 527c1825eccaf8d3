"""Runs: what agents do, have done and are to do."""

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import run_documents as documents
from sessions.api.run_documents import (
    CancelInput,
    LimitsInput,
    RunDocument,
    RunInput,
    RunPage,
    RunQuery,
)
from sessions.core.errors import AgentNotFound
from sessions.models import Run
from sessions.selectors import agents, history, sessions
from sessions.selectors import runs as reading
from sessions.services import runs
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.schema import operation
from streaming.selectors import pages

ONE = {200: RunDocument}


class Runs(Endpoint):
    """What agents do in the sessions that you can see."""

    @operation("runs.list", tag="runs", query=RunQuery, fields=RunDocument, answers={200: RunPage})
    def get(self, _request: Request) -> Response:
        """List runs, the newest first unless another order is asked for."""
        return _page(self, reading.readable(self.principal))


class SessionRuns(Endpoint):
    """What agents do in one session."""

    examples = {"POST": {"agent": "assistant"}}

    @operation(
        "sessions.runs", tag="runs", query=RunQuery, fields=RunDocument, answers={200: RunPage}
    )
    def get(self, _request: Request, session: str) -> Response:
        """List the runs of a session."""
        rows = reading.readable(self.principal)
        return _page(self, rows.filter(session=sessions.find(self.principal, session)))

    @operation("sessions.runs.create", tag="runs", body=RunInput, answers={202: RunDocument})
    @once
    def post(self, _request: Request, session: str) -> Response:
        """
        Let an agent go on with the conversation, or answer a message again.

        Who has something to say to it posts a message instead. The answer comes before the run
        has begun; its stream tells the rest.
        """
        principal, order = self.principal, self.ordered(RunInput)
        principal.require("runs:write")
        row = sessions.find(principal, session)
        slug = order.agent or row.agent
        if not slug:
            raise AgentNotFound("The session has no agent of its own; name one.")
        made = runs.request(
            principal=principal,
            session=row,
            agent=agents.find(principal, slug),
            message=history.find(row.pk, order.message) if order.message else None,
            task=order.task,
            parameters=order.parameters,
            limits=order.limits.given(),
            admission=order.admission,
        )
        response = _show(made, status=202)
        response["Location"] = f"/api/v1/runs/{made.pk}"
        return response


class OneRun(Endpoint):
    """One run."""

    @operation("runs.read", tag="runs", answers=ONE)
    def get(self, _request: Request, run: str) -> Response:
        """Read where a run stands, and what it has used, by model."""
        return _show(reading.read(self.principal, run))


class Cancel(Endpoint):
    """Cancel a run."""

    examples = {"POST": {"reason": "Not needed any more."}}

    @operation("runs.cancel", tag="runs", body=CancelInput, answers=ONE)
    @once
    def post(self, _request: Request, run: str) -> Response:
        """Cancel a run and what it began, with the tool calls and approvals that are open."""
        reason = self.ordered(CancelInput).reason
        return _show(runs.cancel(principal=self.principal, run=run, reason=reason))


class Limits(Endpoint):
    """Change what a run may use."""

    examples = {"POST": {"max_tokens": 100_000, "max_cost": 2.5}}

    @operation("runs.limits", tag="runs", body=LimitsInput, answers=ONE)
    @once
    def post(self, _request: Request, run: str) -> Response:
        """Change the limits given; a run that waits for its budget looks again whether it may go on."""
        limits = self.ordered(LimitsInput).given()
        return _show(runs.raise_limits(principal=self.principal, run=run, limits=limits))


def _page(view: Endpoint, rows: QuerySet[Run]) -> Response:
    query = view.asked(RunQuery)
    if query.states:
        rows = rows.filter(state__in=query.states)
    if query.agent:
        rows = rows.filter(agent_slug=query.agent)
    if query.task:
        rows = rows.filter(task=query.task)
    page = pages.page(rows, order=query.ordering, cursor=query.cursor, limit=query.limit)
    shown = [codecs.show(documents.run(one)) for one in page.rows]
    return Response({"data": codecs.pick(shown, query.fields, RunDocument), "next": page.next})


def _show(row: Run, *, status: int = 200) -> Response:
    return Response(codecs.show(documents.run(row)), status=status)
