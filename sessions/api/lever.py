"""The lever of a session over HTTP: one address for each command."""

from rest_framework.request import Request
from rest_framework.response import Response

from sessions import commands
from sessions.api import answers, inputs
from sessions.api.documents import SessionDocument
from sessions.api.inputs import (
    AssignInput,
    AttachInput,
    FailureInput,
    ReasonInput,
    ResultInput,
    StartQuery,
)
from sessions.services import assigning, creation, lifecycle
from sessions.services.outcome import Outcome
from streaming.api.base import Endpoint, alone, once
from streaming.api.schema import operation

ONE = {200: SessionDocument}


class Start(Endpoint):
    """Run the session."""

    @operation(
        "sessions.start",
        tag="lever",
        body=ReasonInput,
        query=StartQuery,
        answers={**ONE, 202: SessionDocument},
    )
    @alone
    def post(self, _request: Request, session: str) -> Response:
        """
        Run the session: 200 if it runs at once or within `wait`, else 202 while it waits.

        A second start joins the first.
        """
        return self.start(session)

    def start(self, session: str) -> Response:
        """Start and, if asked, wait until the start is settled."""
        wait, order = self.asked(StartQuery).wait, self.ordered(ReasonInput)
        found = lifecycle.start(principal=self.principal, session=session, reason=order.reason)
        return started(found, wait=wait)


def started(found: Outcome, *, wait: float) -> Response:
    """The answer to a start: 200 if it is settled within so many seconds, else 202."""
    if found.is_pending and wait:
        found = commands.settled(found, timeout_seconds=wait)
    return answers.outcome(found, status=202 if found.is_pending else 200)


class Resume(Start):
    """Run the session again."""

    @operation(
        "sessions.resume",
        tag="lever",
        body=ReasonInput,
        query=StartQuery,
        answers={**ONE, 202: SessionDocument},
    )
    @alone
    def post(self, _request: Request, session: str) -> Response:
        """The same as start."""
        return self.start(session)


class Pause(Endpoint):
    """Hold the session where it is."""

    @operation("sessions.pause", tag="lever", body=ReasonInput, answers=ONE)
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Close the gates and keep the sockets; a pending start is withdrawn."""
        reason = self.ordered(ReasonInput).reason
        return answers.outcome(
            lifecycle.pause(principal=self.principal, session=session, reason=reason)
        )


class Stop(Endpoint):
    """Release the participants of the session."""

    @operation("sessions.stop", tag="lever", body=ReasonInput, answers=ONE)
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Release everybody; the session can be started again."""
        reason = self.ordered(ReasonInput).reason
        return answers.outcome(
            lifecycle.stop(principal=self.principal, session=session, reason=reason)
        )


class Complete(Endpoint):
    """Finish the session."""

    @operation("sessions.complete", tag="lever", body=ResultInput, answers=ONE)
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Close the session with a result."""
        order = self.ordered(ResultInput)
        return answers.outcome(
            lifecycle.complete(
                principal=self.principal,
                session=session,
                result=order.result,
                reason=order.reason,
            )
        )


class Fail(Endpoint):
    """Say that the session broke."""

    examples = {"POST": {"error": {"code": "FEED_LIES", "message": "The feed lies."}}}

    @operation("sessions.fail", tag="lever", body=FailureInput, answers=ONE)
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Close the gates and keep everything else as it is found."""
        order = self.ordered(FailureInput)
        return answers.outcome(
            lifecycle.fail(
                principal=self.principal,
                session=session,
                error=order.as_dict(),
                reason=order.reason,
            )
        )


class End(Endpoint):
    """Close the session."""

    @operation("sessions.end", tag="lever", body=ReasonInput, answers=ONE)
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Close the session without a result."""
        reason = self.ordered(ReasonInput).reason
        return answers.outcome(
            lifecycle.end(principal=self.principal, session=session, reason=reason)
        )


class Assign(Endpoint):
    """Say whose the session is."""

    examples = {"POST": {"owner": "shared"}}

    @operation("sessions.assign", tag="sessions", body=AssignInput, answers=ONE)
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Make an open session that of a person of its team, or the team's."""
        order = self.ordered(AssignInput)
        done = assigning.assign(
            principal=self.principal, session=session, owner=order.owner, reason=order.reason
        )
        return answers.session(done.session)


class Attach(Endpoint):
    """Declare components."""

    examples = {"POST": {"components": inputs.EXAMPLE["components"]}}

    @operation("sessions.attach", tag="lever", body=AttachInput, answers=ONE)
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Declare components that the session counts on; the answer carries a session token."""
        return answers.outcome(
            creation.attach(
                principal=self.principal,
                session=session,
                expected=inputs.expected(self.ordered(AttachInput).components),
            )
        )
