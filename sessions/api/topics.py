"""The topics of one session: which there are, reading and publishing one."""

import time

import orjson
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project import rates
from aegis_project.kit.principal import Principal
from aegis_project.rates import Counted
from sessions.api import feeds
from sessions.models import Session
from sessions.selectors import sessions
from streaming import node
from streaming.api import codecs, live, sse, topic_documents
from streaming.api.base import Endpoint, alone
from streaming.api.schema import operation
from streaming.api.sse import LAST_ID, Streaming, let_go_of_database
from streaming.api.topic_documents import (
    PublishedDocument,
    PublishInput,
    RecordPage,
    RecordQuery,
    TopicList,
)
from streaming.core import position, resume, topics
from streaming.core.errors import SessionOver
from streaming.core.position import Cursor
from streaming.core.resume import Placement, Start
from streaming.engines.base import Key, Slice
from streaming.hub import Hub, checking
from streaming.selectors import logs


class SessionTopics(Endpoint):
    """The topics of a session."""

    @operation("sessions.topics", tag="topics", answers={200: TopicList})
    def get(self, _request: Request, session: str) -> Response:
        """List the topics by name, with what the answering process knows of them."""
        principal = self.principal
        row = sessions.find(principal, session)
        rows, key = logs.of_session(principal, row.pk), str(row.pk)
        found = live.figures([key])
        documents = [
            *topic_documents.topics(rows, found),
            *(
                one
                for one in topic_documents.unlisted(row.pk, rows, found.get(key, {}))
                if logs.may_see(principal, one.name)
            ),
        ]
        documents.sort(key=lambda one: one.name)
        return Response({"data": [codecs.show(one) for one in documents]})


class SessionTopic(Streaming):
    """One topic of a session."""

    @operation(
        "sessions.topics.read",
        tag="topics",
        query=RecordQuery,
        parameters=[LAST_ID],
        answers={
            (200, "application/json"): RecordPage,
            (200, sse.MEDIA_TYPE): OpenApiTypes.OBJECT,
        },
    )
    def get(self, request: Request, session: str, topic: str) -> HttpResponseBase:
        """
        Read records after a position, by the same rule by which sockets resume.

        With `Accept: text/event-stream` they come as they are published, each with its position as
        id; `limit` and `wait` do not count then.
        """
        logs.check_readable(self.principal, topic)
        query = self.asked(RecordQuery)
        after = sse.last_id(request, query.after) if self.is_streaming else query.after
        cursor = position.parse(after) if after else None
        key = (str(sessions.find(self.principal, session).pk), topic)
        begin = resume.parse_start(query.start)
        here = node.required()
        let_go_of_database()
        if self.is_streaming:
            here.call(here.hub.bounds(key))
            return sse.answer(self, lambda here: feeds.topic(here, key, begin, cursor))
        read = _read(here.hub, key, begin, cursor, limit=query.limit, wait=query.wait)
        return Response(_page(topic, *here.call(read)))

    @operation(
        "sessions.topics.publish.post",
        tag="topics",
        body=PublishInput,
        answers={201: PublishedDocument},
    )
    @alone
    def post(self, _request: Request, session: str, topic: str) -> Response:
        """Publish records into a topic of an open session."""
        principal = self.principal
        rates.admit(Counted.PUBLISH, principal)
        principal.require("topics:publish")
        topics.check_publishable(topic, logs.patterns(principal))
        order, now = self.ordered(PublishInput), time.time_ns() // 1_000_000
        records = [
            (now if one.ts is None else one.ts, orjson.dumps(one.data)) for one in order.records
        ]
        key = (str(_open(principal, session).pk), topic)
        here = node.required()
        offered = here.call(checking.offer(here.hub, key, records, by=principal.actor))
        here.hub.wrote(key, principal.actor)
        last = offered.position
        document = PublishedDocument(
            topic=offered.topic,
            epoch=last.epoch,
            first=last.seq - offered.size + 1,
            last=last.seq,
            position=str(last),
            quarantined=offered.quarantined,
        )
        return Response(codecs.show(document), status=201)


def _open(principal: Principal, session: str) -> Session:
    row = sessions.find(principal, session)
    if not row.is_open:
        raise SessionOver(session=row.key, state=row.state)
    return row


Extract = tuple[Placement, tuple[int, position.Position], Slice | None]


async def _read(
    hub: Hub, key: Key, begin: Start, cursor: Cursor | None, *, limit: int, wait: float
) -> Extract:
    placed = await hub.place(key, begin, cursor)
    if wait:
        await hub.wait(key, placed.next - 1, timeout_seconds=wait)
    bounds = await hub.bounds(key)
    is_behind = placed.next <= bounds[1].seq
    return placed, bounds, await hub.read(key, placed.next - 1, limit) if is_behind else None


def _page(
    topic: str, placed: Placement, bounds: tuple[int, position.Position], cut: Slice | None
) -> dict[str, object]:
    start, head = bounds
    ck = cut.ck if cut else placed.ck
    last = cut.last if cut else placed.next - 1
    told = topic_documents.notice(placed.notice)
    records = zip(cut.ts, cut.data, strict=True) if cut else ()
    return {
        "topic": topic,
        "epoch": head.epoch,
        "start": start,
        "head": head.seq,
        "data": [
            {"seq": seq, "ts": ts, "data": orjson.Fragment(data)}
            for seq, (ts, data) in enumerate(records, cut.first if cut else 1)
        ],
        "next": f"{head.epoch}:{last}:{ck.hex()}" if ck else "",
        "notice": codecs.show(told) if told else None,
    }
