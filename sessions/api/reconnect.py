"""Coming back to a session: what was missed, and what is pending."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import feeds
from sessions.core.checkpoints import WORDS
from sessions.core.lifecycle import State
from sessions.models import Approval, Checkpoint, ToolCall
from sessions.selectors import reconnecting
from sessions.selectors.reconnecting import Pending, Reconnected
from streaming.api import codecs, sse
from streaming.api.codecs import Timestamp
from streaming.api.documents import EventDocument, Limit
from streaming.api.schema import operation
from streaming.api.sse import LAST_ID, Streaming
from streaming.core.position import MAX_SEQ
from streaming.core.topics import LEDGER
from streaming.node import Node

Seq = Annotated[int, Meta(ge=0, le=MAX_SEQ)]


class ReconnectQuery(Struct, kw_only=True):
    """The number of the last event that came; without it nothing was missed."""

    after: Seq | UnsetType = UNSET
    limit: Limit = 100


class LastCheckpoint(Struct, kw_only=True):
    """The newest checkpoint, in seed 004's words."""

    checkpoint_id: UUID
    checkpoint_type: str
    seq: int
    label: str
    created_at: Timestamp


class OpenRun(Struct, kw_only=True):
    """A run that is not over."""

    run: UUID
    agent: str
    state: str
    place: int
    waiting_for: str


class OpenApproval(Struct, kw_only=True):
    """A decision that somebody has to make."""

    approval_id: UUID
    tool_call_id: UUID
    tool_name: str
    arguments: dict[str, Any]
    requested_at: Timestamp
    expires_at: Timestamp


class OpenCall(Struct, kw_only=True):
    """A tool call that waits for a decision, or of which nobody knows what came."""

    tool_call_id: UUID
    tool_name: str
    state: str


class PendingDocument(Struct, kw_only=True):
    """What is not settled; approvals and tool calls are null for who may not read approvals."""

    state: State
    runs: list[OpenRun]
    approvals: list[OpenApproval] | None
    tool_calls: list[OpenCall] | None


class ReconnectDocument(Struct, kw_only=True):
    """
    The answer to who was away.

    `missed_events` are those behind `after`, oldest first; with `has_more` the rest follows behind
    `next`. In a stream they come as events of their own, and are left out here. `missed` counts
    all of them.
    """

    status: Literal["reconnected"] = "reconnected"
    session_id: UUID
    epoch: str
    head: int
    missed: int
    checkpoint: LastCheckpoint | None
    pending_state: PendingDocument
    missed_events: list[EventDocument] | UnsetType = UNSET
    has_more: bool | UnsetType = UNSET
    next: int | UnsetType = UNSET


class Reconnect(Streaming):
    """What a client has to be told that was away."""

    @operation(
        "sessions.reconnect",
        tag="recovery",
        query=ReconnectQuery,
        parameters=[LAST_ID],
        answers={
            (200, "application/json"): ReconnectDocument,
            (200, sse.MEDIA_TYPE): OpenApiTypes.OBJECT,
        },
    )
    def get(self, request: Request, session: str) -> HttpResponseBase:
        """
        Read what was missed since an event, the newest checkpoint, and what is pending.

        With `Accept: text/event-stream` the answer is the first event, `reconnected`; the missed
        ones follow it, each once and with its number as id, and then what happens.
        """
        query = self.asked(ReconnectQuery)
        after = None if query.after is UNSET else query.after
        if self.is_streaming:
            said = sse.last_id(request, "" if after is None else str(after))
            return self.stream(session, sse.number(said) if said else None)
        found = reconnecting.read(self.principal, session, after=after, limit=query.limit)
        return Response(shown(found, after=after))

    def stream(self, session: str, after: int | None) -> HttpResponseBase:
        """The answer, the events behind number ``after``, and those that come."""
        found = reconnecting.read(self.principal, session, after=after, limit=1)
        first = sse.shown(name="reconnected", data=codecs.show(document(found, after=after)))
        row = found.pending.session
        key, is_over = (str(row.pk), LEDGER), not row.is_open
        behind = found.missed.head if after is None else after

        async def feed(here: Node) -> AsyncGenerator[bytes, None]:
            yield first
            events = feeds.ledger(here, key, after=behind, is_over=is_over)
            async with aclosing(events):
                async for piece in events:
                    yield piece

        return sse.answer(self, feed)


def shown(found: Reconnected, *, after: int | None) -> dict[str, Any]:
    """The answer with the events that were missed, each as the text that every reader gets."""
    missed = found.missed
    return {
        **codecs.show(document(found, after=after)),
        "missed_events": [orjson.Fragment(body) for body in missed.bodies],
        "has_more": missed.last < missed.head,
        "next": missed.last,
    }


def document(found: Reconnected, *, after: int | None) -> ReconnectDocument:
    """The answer without the events."""
    missed = found.missed
    return ReconnectDocument(
        session_id=found.pending.session.pk,
        epoch=missed.epoch,
        head=missed.head,
        missed=0 if after is None else max(missed.head - after, 0),
        checkpoint=_checkpoint(found.checkpoint) if found.checkpoint else None,
        pending_state=_pending(found.pending),
    )


def _checkpoint(row: Checkpoint) -> LastCheckpoint:
    return LastCheckpoint(
        checkpoint_id=row.pk,
        checkpoint_type=WORDS.get(row.moment, row.moment or row.cause),
        seq=row.seq,
        label=row.label,
        created_at=row.created_at,
    )


def _pending(found: Pending) -> PendingDocument:
    calls, asked = found.tool_calls, found.approvals
    return PendingDocument(
        state=State(found.session.state),
        runs=[OpenRun(**{**one, "run": UUID(one["run"])}) for one in found.runs],
        approvals=None if asked is None else [_approval(one) for one in asked],
        tool_calls=None if calls is None else [_call(one) for one in calls],
    )


def _approval(row: Approval) -> OpenApproval:
    return OpenApproval(
        approval_id=row.pk,
        tool_call_id=row.tool_call_id,
        tool_name=row.tool_call.tool,
        arguments=row.tool_call.arguments,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
    )


def _call(row: ToolCall) -> OpenCall:
    return OpenCall(tool_call_id=row.pk, tool_name=row.tool, state=row.state)
