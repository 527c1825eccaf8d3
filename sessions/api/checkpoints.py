"""Checkpoints of a session over HTTP, going back to one, and making another session of one."""

from typing import Annotated

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import answers
from sessions.api.checkpoint_documents import (
    NOW,
    CheckpointDocument,
    CheckpointPage,
    CheckpointSummary,
    DifferenceDocument,
    compared,
    document,
    summary,
)
from sessions.api.documents import SessionDocument
from sessions.api.inputs import ReasonInput
from sessions.core.checkpoints import Effects
from sessions.selectors import checkpoints as reading
from sessions.services import checkpoints, forks, recovery
from sessions.services.forks import Wish
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.documents import PageQuery
from streaming.api.schema import operation
from streaming.selectors import pages

Reference = Annotated[
    str, Meta(min_length=1, max_length=200, description="An id, a label, or `latest`.")
]
Label = Annotated[str, Meta(max_length=200, pattern="^[^\\x00]*$")]


class CheckpointInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint is called."""

    label: Label = ""


class DifferenceQuery(Struct, kw_only=True):
    """The other side: another checkpoint, or the session as it is now."""

    to: Reference = NOW


class RecoverInput(ReasonInput, kw_only=True, forbid_unknown_fields=True):
    """The checkpoint to go back to."""

    checkpoint: Reference


class ForkInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    Which checkpoint, and how the new session is to be.

    `effects`: `recorded` answers tool calls with what came of them in the parent, `stub` says that
    nothing is carried out, `live` carries them out under the policies. With `replay` the new one is
    historical and replays what the parent has recorded since.
    """

    checkpoint: Reference = "latest"
    key: Annotated[str, Meta(max_length=128)] = ""
    name: Annotated[str, Meta(max_length=200, pattern="^[^\\x00]*$")] = ""
    effects: Effects = Effects.RECORDED
    replay: bool = False


class Checkpoints(Endpoint):
    """The positions that a session can come back to."""

    examples = {"POST": {"label": "before the opening"}}

    @operation(
        "sessions.checkpoints",
        tag="recovery",
        query=PageQuery,
        fields=CheckpointSummary,
        answers={200: CheckpointPage},
    )
    def get(self, _request: Request, session: str) -> Response:
        """List checkpoints, the newest first, with their sizes."""
        query = self.asked(PageQuery)
        rows = reading.readable(self.principal, session).defer("snapshot__body")
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        shown = [codecs.show(summary(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(shown, query.fields, CheckpointSummary), "next": page.next}
        )

    @operation(
        "sessions.checkpoints.post",
        tag="recovery",
        body=CheckpointInput,
        answers={201: CheckpointDocument},
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Take a checkpoint of where the session is now."""
        label = self.ordered(CheckpointInput).label
        made = checkpoints.create(principal=self.principal, session=session, label=label)
        response = Response(codecs.show(document(made)), status=201)
        response["Location"] = f"/api/v1/sessions/{made.session_id}/checkpoints/{made.pk}"
        return response


class OneCheckpoint(Endpoint):
    """One checkpoint, by its id or label, or `latest`."""

    @operation("sessions.checkpoint", tag="recovery", answers={200: CheckpointDocument})
    def get(self, _request: Request, session: str, checkpoint: str) -> Response:
        """Read what a checkpoint holds."""
        found = reading.find(self.principal, session, checkpoint)
        return Response(codecs.show(document(found)))

    @operation("sessions.checkpoint.delete", tag="recovery", answers={204: None})
    def delete(self, _request: Request, session: str, checkpoint: str) -> Response:
        """Let a checkpoint go."""
        checkpoints.delete(principal=self.principal, session=session, checkpoint=checkpoint)
        return Response(status=204)


class CheckpointDifference(Endpoint):
    """What happened since, or between two."""

    @operation(
        "sessions.checkpoint.diff",
        tag="recovery",
        query=DifferenceQuery,
        answers={200: DifferenceDocument},
    )
    def get(self, _request: Request, session: str, checkpoint: str) -> Response:
        """Compare a checkpoint with another, or with the session as it is now."""
        to = self.asked(DifferenceQuery).to
        found = reading.between(self.principal, session, checkpoint, "" if to == NOW else to)
        return Response(codecs.show(compared(found)))


class Recover(Endpoint):
    """Go back to a checkpoint."""

    examples = {"POST": {"checkpoint": "latest", "reason": "wrong order"}}

    @operation(
        "sessions.recover", tag="recovery", body=RecoverInput, answers={200: SessionDocument}
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """
        Restore memory and participants into `paused`; the ledger goes on and loses nothing.

        What is still open is cancelled; what was carried out, decided or granted stays so.
        """
        order = self.ordered(RecoverInput)
        return answers.outcome(
            recovery.recover(
                principal=self.principal,
                session=session,
                checkpoint=order.checkpoint,
                reason=order.reason,
            )
        )


class ForkSession(Endpoint):
    """Make another session of a checkpoint."""

    examples = {"POST": {"checkpoint": "latest", "effects": "recorded"}}

    @operation("sessions.fork", tag="recovery", body=ForkInput, answers={201: SessionDocument})
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Make a session in `created` with the memory, participants and conversation of then."""
        order = self.ordered(ForkInput)
        made = forks.fork(
            principal=self.principal,
            session=session,
            checkpoint=order.checkpoint,
            wish=Wish(
                key=order.key, name=order.name, effects=order.effects, is_replay=order.replay
            ),
        )
        response = answers.outcome(made, status=201)
        response["Location"] = f"/api/v1/sessions/{made.session.pk}"
        return response
