"""A topic of a session as a file."""

from collections.abc import AsyncIterator
from typing import Literal

import msgspec
import orjson
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from msgspec import Struct
from rest_framework.request import Request

from sessions.selectors import sessions
from streaming import node
from streaming.api import codecs, topic_documents
from streaming.api.base import ByParameter, Endpoint
from streaming.api.schema import operation
from streaming.api.sse import let_go_of_database
from streaming.api.topic_documents import Instant, Place
from streaming.core import export, position
from streaming.core.export import Format, Row
from streaming.core.position import Position
from streaming.core.resume import Placement, Start
from streaming.engines.base import Key, Slice
from streaming.hub import extracts
from streaming.hub.extracts import Stretch
from streaming.node import Node
from streaming.selectors import logs
from streaming.sources import clock_range

NOTICE, RECORDS = "Aegis-Notice", "Aegis-Records"


class ExportQuery(Struct, kw_only=True):
    """Which records, in which form; without bounds all that there are."""

    format: Literal["ndjson", "csv"] = "ndjson"
    from_: Instant = msgspec.field(default="", name="from")
    to: Instant = ""
    after: Place = ""


class TopicExport(Endpoint):
    """The records of one topic as a file."""

    content_negotiation_class = ByParameter

    @operation(
        "sessions.topics.export",
        tag="topics",
        query=ExportQuery,
        answers={
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, _request: Request, session: str, topic: str) -> HttpResponseBase:
        """
        Download the records of a topic, up to where it ends now.

        NDJSON has one object a line: seq, ts, epoch, ck and data. CSV has the columns seq, ts, the
        members of the first 1,000 records, and data. A position that the log cannot prove is told
        in the header Aegis-Notice; Aegis-Records says how many records come at most. A download
        that breaks off is not whole.
        """
        logs.check_readable(self.principal, topic)
        query = self.asked(ExportQuery)
        span = clock_range.parse(from_=query.from_ or None, to=query.to or None)
        cursor = position.parse(query.after) if query.after else None
        row = sessions.find(self.principal, session)
        key, here = (str(row.pk), topic), node.required()
        let_go_of_database()
        begin = Start("time", span.from_ms) if span.from_ms else Start("earliest")
        placed, end = here.call(_place(here, key, begin, cursor))
        stretch = _stretch(key, placed, end, span)
        answer = _answer(here, stretch, export.FORMATS[query.format](), f"{row.key}-{topic}")
        answer[RECORDS] = str(max(0, stretch.last - stretch.begin.seq))
        if told := topic_documents.notice(placed.notice):
            answer[NOTICE] = orjson.dumps(codecs.show(told)).decode()
        return answer


def _answer(here: Node, stretch: Stretch, form: Format, name: str) -> HttpResponseBase:
    answer = StreamingHttpResponse(_file(here, stretch, form), content_type=form.content_type)
    file = f"{name}.{form.suffix}".replace(":", "_")
    disposition = content_disposition_header(as_attachment=True, filename=file)
    answer["Content-Disposition"] = disposition or "attachment"
    return answer


async def _place(
    here: Node, key: Key, begin: Start, cursor: position.Cursor | None
) -> tuple[Placement, Position]:
    placed = await here.hub.place(key, begin, cursor)
    if cursor is not None and placed.notice is None and begin.kind == "time":
        later = await here.hub.place(key, begin)
        placed = later if later.next > placed.next else placed
    return placed, (await here.hub.bounds(key))[1]


def _stretch(key: Key, placed: Placement, end: Position, span: clock_range.ClockRange) -> Stretch:
    # Without a chain value the place lies ahead of the log, and there is nothing to tell.
    last = end.seq if placed.ck is not None else 0
    begin = Position(end.epoch, placed.next - 1, placed.ck or b"")
    return Stretch(key, begin, last, span.from_ms, span.to_ms)


async def _file(here: Node, stretch: Stretch, form: Format) -> AsyncIterator[bytes]:
    sample: list[Row] = []
    size, is_begun = 0, False
    async for rows in extracts.rows(Remote(here), stretch):
        if is_begun:
            yield form.lines(rows)
            continue
        sample += rows
        size += sum(len(row.data) for row in rows)
        if len(sample) >= export.SAMPLE or size >= export.SAMPLE_BYTES:
            is_begun = True
            yield form.begin(sample[: export.SAMPLE]) + form.lines(sample)
            sample.clear()
    if not is_begun:
        yield form.begin(sample) + form.lines(sample)


class Remote:
    """The hub of the node, from whatever loop answers the request."""

    def __init__(self, here: Node) -> None:
        self._here = here

    async def read(self, key: Key, after: int) -> Slice | None:
        return await self._here.ask(self._here.hub.read(key, after))

    async def epoch(self, key: Key) -> str:
        return (await self._here.ask(self._here.hub.bounds(key)))[1].epoch
