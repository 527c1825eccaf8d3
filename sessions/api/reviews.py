"""How a session stood at an instant of its past, over HTTP."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api.parts import Seq
from sessions.selectors import reviewing, sessions
from sessions.selectors.reviewing import CALLS, PARTICIPANTS, RUNS, Said, Stood
from streaming.api import codecs
from streaming.api.base import Endpoint
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation


class ReviewQuery(Struct, kw_only=True):
    """Which instant: right behind the event `seq`, or at a `time`; without either the present one."""

    seq: Seq = 0
    time: Timestamp | None = None

    def __post_init__(self) -> None:
        if self.time is not None:
            self.time = codecs.in_utc(self.time)


class LastRecordDocument(Struct, kw_only=True):
    """The last record of a recorded topic; nulls before its first."""

    topic: str
    seq: int | None
    ts: int | None
    data: Any


class ReviewDocument(Struct, kw_only=True):
    """
    How a session stood: everybody in it, and the runs and tool calls that were not over, by name.

    `seq` and `type` are the last event of all that timelines draw. `message` begins what was said
    last. `topics` are those that you may read.
    """

    session: UUID
    at: Timestamp
    seq: int
    type: str
    state: str
    participants: dict[str, str]
    runs: dict[str, str]
    tool_calls: dict[str, str]
    topics: list[LastRecordDocument]
    message: str


def document(session: UUID, found: Stood) -> ReviewDocument:
    """How a session stood, as every interface shows it."""
    groups: dict[str, dict[str, str]] = {PARTICIPANTS: {}, RUNS: {}, CALLS: {}}
    for one in found.standings:
        groups[one.group][one.name] = one.word
    return ReviewDocument(
        session=session,
        at=datetime.fromtimestamp(found.at / 1000, tz=UTC),
        seq=found.last.seq if found.last else 0,
        type=found.last.type if found.last else "",
        state=found.state,
        participants=groups[PARTICIPANTS],
        runs=groups[RUNS],
        tool_calls=groups[CALLS],
        topics=[_record(one) for one in found.topics],
        message=found.message,
    )


def _record(one: Said) -> LastRecordDocument:
    data = orjson.loads(one.data) if one.data else None
    return LastRecordDocument(topic=one.topic, seq=one.seq, ts=one.ts, data=data)


class Review(Endpoint):
    """The past of a session."""

    @operation("sessions.review", tag="recovery", query=ReviewQuery, answers={200: ReviewDocument})
    def get(self, _request: Request, session: str) -> Response:
        """Say how everything stood at an instant; nothing runs."""
        query = self.asked(ReviewQuery)
        row = sessions.find(self.principal, session)
        if query.seq:
            found = reviewing.stood_behind(self.principal, row, query.seq)
        else:
            at = query.time or timezone.now()
            found = reviewing.stood(self.principal, row, at=reviewing.milliseconds(at))
        return Response(codecs.show(document(row.pk, found)))
