"""The verbs of seed 004 over HTTP: activate, answered when it is settled, and suspend."""

from rest_framework.request import Request
from rest_framework.response import Response

from sessions import commands
from sessions.api import answers
from sessions.api.documents import SessionDocument
from sessions.api.inputs import ReasonInput
from sessions.api.lever import started
from sessions.core.dialects import conversation_states
from sessions.selectors import sessions
from sessions.services import at_rest, lifecycle
from streaming.api.base import Endpoint, alone, once
from streaming.api.schema import operation

ONE = {200: SessionDocument}


class Activate(Endpoint):
    """Start or resume the session, and wait until that is settled."""

    @operation(
        "sessions.activate",
        tag="lever",
        body=ReasonInput,
        answers={**ONE, 202: SessionDocument},
    )
    @alone
    def post(self, _request: Request, session: str) -> Response:
        """
        Run the session, as `start` does; the answer comes when it runs.

        504 `START_TIMEOUT` when a required component was not ready in time; 202 only where that is
        not known yet at the deadline.
        """
        reason = self.ordered(ReasonInput).reason
        found = lifecycle.start(principal=self.principal, session=session, reason=reason)
        return started(found, wait=commands.seconds_left(found.session))


class Suspend(Endpoint):
    """Hold the session where it is."""

    @operation("sessions.suspend", tag="lever", body=ReasonInput, answers=ONE)
    @once
    def post(self, _request: Request, session: str) -> Response:
        """The same as pause; what reads as suspended already stays as it is."""
        reason = self.ordered(ReasonInput).reason
        row = sessions.find(self.principal, session)
        if row.state in conversation_states("suspended") and "pause" not in row.legal():
            return answers.outcome(at_rest.keep(principal=self.principal, session=row))
        found = lifecycle.pause(principal=self.principal, session=row, reason=reason)
        return answers.outcome(found)
