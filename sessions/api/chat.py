"""Saying something and having the answer: whole, or as it is spoken (seed 004)."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions import commands
from sessions.api import feeds
from sessions.api import message_documents as documents
from sessions.api.message_documents import MessageDocument, MessageInput
from sessions.core.runs import OPEN, State
from sessions.core.sse import Place
from sessions.models import Run
from sessions.selectors import history, runs
from sessions.services import conversation
from streaming.api import codecs, sse
from streaming.api.base import Endpoint, alone, once
from streaming.api.schema import operation
from streaming.api.sse import Always, EventStream, Streaming

EXAMPLE = {"content": "What happened in the last hour?"}


class ChatQuery(Struct, kw_only=True):
    """How long to wait for the answer."""

    wait: Annotated[float, Meta(ge=0, le=60, description="Seconds to wait at most.")] = 60


class ChatDocument(Struct, kw_only=True):
    """
    What came of a message: the run that answers it, and its answer when there is one.

    `waiting_for` says what a run waits for that cannot go on by itself, `error` why one failed.
    """

    session_id: UUID
    run_id: UUID
    state: State
    waiting_for: str
    message_id: UUID | None
    answer: MessageDocument | None
    error: dict[str, Any] | None


class Talking(Endpoint):
    """An address that a message is said at to be answered."""

    examples = {"POST": EXAMPLE}

    def say(self, session: str) -> Run:
        """The run that answers what is said."""
        draft = replace(self.ordered(MessageInput).draft(), answers=True)
        self.principal.require("runs:read")
        said = conversation.say(principal=self.principal, session=session, draft=draft)
        assert said.run is not None  # noqa: S101 -- it was asked for
        return said.run


class Chat(Talking):
    """A message and its answer."""

    @operation(
        "sessions.chat.post",
        tag="messages",
        body=MessageInput,
        query=ChatQuery,
        answers={200: ChatDocument, 202: ChatDocument},
    )
    @alone
    def post(self, _request: Request, session: str) -> Response:
        """
        Say something, and wait for the answer.

        200 when the run is over; 202 when it waits for somebody, or for longer than `wait`.
        """
        wait = self.asked(ChatQuery).wait
        row = commands.worked(self.say(session), timeout_seconds=wait)
        status = 202 if row.state in OPEN else 200
        return Response(codecs.show(document(row)), status=status)


class ChatStream(Talking, Streaming):
    """A message and its answer as it is spoken."""

    renderer_classes = [EventStream]
    content_negotiation_class = Always

    @operation(
        "sessions.chat.stream.post",
        tag="messages",
        body=MessageInput,
        answers={(200, sse.MEDIA_TYPE): OpenApiTypes.OBJECT},
    )
    def post(self, request: Request, session: str) -> HttpResponseBase:
        """
        Say something, and follow the run that answers it.

        The events are those of the run's own stream, whose address is in Content-Location: there a
        client goes on that was cut. The run goes on in any case.
        """
        begun = self.begin(request, session)
        if begun.status_code != 200:
            begun.content_type = "application/json"
            return begun
        row = runs.find(self.principal, begun.data["run"])
        response = sse.answer(self, lambda here: feeds.run(here, row, Place(0, 0)))
        response["Content-Location"] = f"/api/v1/runs/{row.pk}/stream"
        return response

    @once
    def begin(self, _request: Request, session: str) -> Response:
        """Say it; a repetition with the same idempotency key follows the same run."""
        return Response({"run": str(self.say(session).pk)})

    post.keeps_answers = True  # type: ignore[attr-defined]  # `begin` does


class Stream(ChatStream):
    """The same at its other address, which the schema does not repeat."""

    schema = None


def document(row: Run) -> ChatDocument:
    """What became of a message."""
    answer = None
    if row.answer is not None:
        [entry] = history.entries([row.answer])
        answer = documents.document(entry)
    return ChatDocument(
        session_id=row.session_id,
        run_id=row.pk,
        state=State(row.state),
        waiting_for=row.waiting_for,
        message_id=row.message_id,
        answer=answer,
        error=row.error,
    )
