"""What agents asked to be done, decisions on it, and what tools there are."""

from collections.abc import Iterable

from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.errors import InvalidState, ValidationFailed
from sessions.api import tool_documents as documents
from sessions.api.tool_documents import (
    ActionInput,
    KnownToolDocument,
    OneToolQuery,
    ResolveInput,
    ToolCallDocument,
    ToolCallPage,
    ToolCallQuery,
    ToolList,
    ToolQuery,
)
from sessions.core.errors import ToolCallNotFound
from sessions.core.tool_calls import State
from sessions.models import ToolCall
from sessions.selectors import sessions, situation
from sessions.selectors import tool_calls as reading
from sessions.services import approvals, tool_calls
from sessions.toolbox import known
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.schema import operation
from streaming.selectors import pages

ONE = {200: ToolCallDocument}


class Tools(Endpoint):
    """What agents may be given."""

    @operation("tools.list", tag="tools", query=ToolQuery, answers={200: ToolList})
    def get(self, _request: Request) -> Response:
        """
        List the tools that are built in, and those of packages that are installed here.

        With `session` also those that its components offer, with `ask` those of tool servers.
        """
        query = self.asked(ToolQuery)
        row = sessions.find(self.principal, query.session) if query.session else None
        found = known.known(self.principal, session=row, is_asking=query.ask)
        shown = [codecs.show(documents.tool(spec)) for spec in found.specs]
        return Response({"data": shown, "silent": found.silent})


class OneTool(Endpoint):
    """One tool, by its name."""

    @operation("tools.read", tag="tools", query=OneToolQuery, answers={200: KnownToolDocument})
    def get(self, _request: Request, tool: str) -> Response:
        """Read a tool, who may ask for it, and what each policy says to that."""
        query = self.asked(OneToolQuery)
        row = sessions.find(self.principal, query.session) if query.session else None
        found = known.told(self.principal, tool, environment=query.environment, session=row)
        return Response(codecs.show(documents.known(found)))


class SessionToolCalls(Endpoint):
    """What was asked to be done in one session."""

    @operation(
        "sessions.tool_calls",
        tag="tools",
        query=ToolCallQuery,
        fields=ToolCallDocument,
        answers={200: ToolCallPage},
    )
    def get(self, _request: Request, session: str) -> Response:
        """List the tool calls of a session."""
        self.principal.require("runs:read")
        query = self.asked(ToolCallQuery)
        found = sessions.find(self.principal, session)
        rows = reading.of_session(found.pk, states=_states(query))
        page = pages.page(rows, order=query.ordering, cursor=query.cursor, limit=query.limit)
        shown = [codecs.show(one) for one in described(page.rows)]
        return Response(
            {"data": codecs.pick(shown, query.fields, ToolCallDocument), "next": page.next}
        )


class SessionToolCall(Endpoint):
    """One tool call of a session, as seed 004 addresses it."""

    examples = {"POST": {"action": "reject", "reason": "Too much at once."}}

    @operation("sessions.tool_calls.read", tag="tools", answers=ONE)
    def get(self, _request: Request, session: str, tool_call: str) -> Response:
        """Read a tool call of this session."""
        self.principal.require("runs:read")
        return _shown(self.found(session, tool_call))

    @operation("sessions.tool_calls.decide", tag="tools", body=ActionInput, answers=ONE)
    @once
    def post(self, _request: Request, session: str, tool_call: str) -> Response:
        """Approve or reject it, as a decision on its approval."""
        order, call = self.ordered(ActionInput), self.found(session, tool_call)
        approval = reading.last_approval(call)
        if approval is None:
            raise InvalidState(
                f"Nobody has to decide on it: it is {call.state}.",
                **{"from": call.state, "command": order.action, "allowed": []},
            )
        is_approved = order.action == "approve"
        approvals.decide(
            principal=self.principal,
            approval=approval,
            approved=is_approved,
            reason=order.reason,
            evidence=situation.now(approval) if is_approved else None,
        )
        return _shown(self.found(session, tool_call))

    def found(self, session: str, tool_call: str) -> ToolCall:
        """The call, as far as it is one of this session."""
        row = reading.find(self.principal, tool_call)
        if row.session_id != sessions.find(self.principal, session).pk:
            raise ToolCallNotFound(tool_call=tool_call[:64])
        return row


class OneToolCall(Endpoint):
    """One tool call."""

    @operation("tool_calls.read", tag="tools", answers=ONE)
    def get(self, _request: Request, tool_call: str) -> Response:
        """Read a tool call."""
        self.principal.require("runs:read")
        return _shown(reading.find(self.principal, tool_call))


class Resolve(Endpoint):
    """Say what came of a call whose worker was gone."""

    examples = {"POST": {"outcome": "completed", "result": {"order": 7}}}

    @operation("tool_calls.resolve", tag="tools", body=ResolveInput, answers=ONE)
    @once
    def post(self, _request: Request, tool_call: str) -> Response:
        """
        Say what came of a call that is `unknown`, after looking.

        The run goes on when nothing of it is unknown any more.
        """
        order = self.ordered(ResolveInput)
        done = tool_calls.resolve(
            principal=self.principal,
            tool_call=tool_call,
            outcome=order.outcome,
            result=order.result,
            reason=order.reason,
        )
        return _shown(done.tool_call)


def _states(query: ToolCallQuery) -> set[State]:
    try:
        return reading.states_of(query.words())
    except KeyError as unknown:
        raise ValidationFailed(f"There is no state {unknown}.", fields=["status"]) from None


def _shown(row: ToolCall) -> Response:
    (document,) = described([row])
    return Response(codecs.show(document))


def described(rows: Iterable[ToolCall]) -> list[ToolCallDocument]:
    """The documents of tool calls, each with the last decision that was asked for on it."""
    found = list(rows)
    last = reading.last_approvals(found)
    return [documents.tool_call(row, last.get(row.pk)) for row in found]
