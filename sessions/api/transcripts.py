"""A conversation around one message, and as a file."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from django.db.models import Q
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.database import read_db
from sessions.api import message_documents as documents
from sessions.api.message_documents import MessageDocument, NarrowingQuery
from sessions.core import transcripts
from sessions.core.transcripts import Format
from sessions.models import Session
from sessions.selectors import history
from sessions.selectors import transcripts as reading
from sessions.selectors.history import Entry
from streaming.api.base import ByParameter, Endpoint
from streaming.api.schema import operation

Around = Annotated[int, Meta(ge=0, le=100)]


class ContextQuery(Struct, kw_only=True):
    """How many messages before and behind."""

    before: Around = 5
    after: Around = 5


class ContextDocument(Struct, kw_only=True):
    """Messages in their order, that which was asked for among them."""

    data: list[MessageDocument]
    has_more: bool


class ExportQuery(NarrowingQuery, kw_only=True):
    """Which messages, in which form."""

    format: Literal["json", "markdown", "text"] = "json"


class MessageContext(Endpoint):
    """What was said around a message."""

    @operation(
        "sessions.messages.context",
        tag="messages",
        query=ContextQuery,
        answers={200: ContextDocument},
    )
    def get(self, _request: Request, session: str, message: str) -> Response:
        """Read a message with those before and behind it, on the branch that it is on."""
        query = self.asked(ContextQuery)
        row = history.readable(self.principal, session)
        found = reading.context(row, message, before=query.before, after=query.after)
        return Response({"data": shown(found.entries), "has_more": found.has_more})


class MessageExport(Endpoint):
    """The conversation as a file."""

    content_negotiation_class = ByParameter

    @operation(
        "sessions.messages.export",
        tag="messages",
        query=ExportQuery,
        answers={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/markdown"): OpenApiTypes.STR,
            (200, "text/plain"): OpenApiTypes.STR,
        },
    )
    def get(self, _request: Request, session: str) -> HttpResponseBase:
        """
        Download the chosen branch from its beginning to its end.

        A download that breaks off is not whole.
        """
        row = history.readable(self.principal, session)
        query = self.asked(ExportQuery)
        form = transcripts.FORMATS[query.format]()
        answer = StreamingHttpResponse(
            _file(row, query.narrowing().where, form), content_type=form.content_type
        )
        file = f"{row.key}.{form.suffix}".replace(":", "_")
        disposition = content_disposition_header(as_attachment=True, filename=file)
        answer["Content-Disposition"] = disposition or "attachment"
        return answer


async def _file(session: Session, where: Q, form: Format) -> AsyncIterator[bytes]:
    yield form.begin(head(session)).encode()
    after = 0
    while found := await read_db(reading.batch, session, where, after=after):
        yield form.lines(shown(found)).encode()
        after = found[-1].message.place
    yield form.end().encode()


def head(session: Session) -> dict[str, str]:
    """What a file says of the session."""
    return {"id": str(session.pk), "key": session.key, "name": session.name}


def shown(entries: list[Entry]) -> list[dict[str, Any]]:
    """Messages as every interface shows them, times and ids as text."""
    return [msgspec.to_builtins(documents.document(one)) for one in entries]
