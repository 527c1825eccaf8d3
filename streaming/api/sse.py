"""Server-sent events: who may have them, how they are written, and how long they go on."""

import asyncio
import copy
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any

import orjson
from django.contrib.auth import get_user
from django.db import connection
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project import rates
from aegis_project.database import read_db
from aegis_project.kit.errors import AegisError, ServiceUnavailable, ValidationFailed
from aegis_project.rates import Counted
from streaming import node
from streaming.api.base import RENDERER, Endpoint
from streaming.api.browsable import Pages
from streaming.core import position
from streaming.node import Node

MEDIA_TYPE = "text/event-stream"
BEAT_SECONDS = 15.0
# Who may not have it any more has no more of it after this time; also the beat of whoever feeds.
CHECK_SECONDS = 4.0
RETRY_MS = 2000
# Daphne takes whatever it is given; above this much that its client has not taken, it gets no more.
UNSENT_BYTES = 262_144
UNSENT_POLL_SECONDS = 0.02

HEADERS = {
    "Content-Type": f"{MEDIA_TYPE}; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    # Proxies of the kind of nginx would collect it otherwise.
    "X-Accel-Buffering": "no",
}
LAST_ID = OpenApiParameter(
    "Last-Event-ID",
    str,
    OpenApiParameter.HEADER,
    description="The id of the last event that came; goes before `after`.",
)
LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")

Feed = AsyncGenerator[bytes, None]
"""Events, as many as there are at a time; nothing when nothing came for a beat."""


class Refusing(BaseRenderer):
    """Of what is streamed once it was asked for by its type; what is refused is said in JSON."""

    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        found: Any = RENDERER().render(data, "application/json", renderer_context)
        return bytes(found)


class EventStream(Refusing):
    """Chosen by ``Accept: text/event-stream``."""

    media_type = MEDIA_TYPE
    format = "sse"


class Streaming(Endpoint):
    """An address that answers a page, or events to who asks for them."""

    renderer_classes = [RENDERER, Pages, EventStream]

    @property
    def is_streaming(self) -> bool:
        """Whether events were asked for."""
        return isinstance(self.request.accepted_renderer, EventStream)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if self.renderer_classes[0] is EventStream or MEDIA_TYPE in self.asked_types:
            response.content_type = "application/json"
        return response

    @property
    def asked_types(self) -> str:
        """The types that the client takes, as it says it."""
        found: str = self.request.headers.get("Accept", "")
        return found


class Always(BaseContentNegotiation):
    """The address says that events are answered; an Accept header need not."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def last_id(request: Request, after: str) -> str:
    """Where a reader was: what its client says by itself, else what the address says."""
    return request.headers.get("Last-Event-ID", "").strip() or after


def number(text: str) -> int:
    """
    The number that an event of a ledger has as its id.

    :raises ValidationFailed: for what is none
    """
    if not position.DIGITS.match(text) or int(text) > position.MAX_SEQ:
        raise ValidationFailed("The id of an event is its number.", fields=["after"])
    return int(text)


def event(*, name: str, data: bytes, id: str = "") -> bytes:  # noqa: A002 -- the field's own name
    """One event; ``data`` is a JSON text."""
    said = f"id: {id}\nevent: {name}\ndata: " if id else f"event: {name}\ndata: "
    return b"%b%b\n\n" % (said.encode(), data.translate(LINE_ENDS))


def shown(*, name: str, data: Any, id: str = "") -> bytes:  # noqa: A002 -- the field's own name
    """One event whose data is still to be written."""
    return event(name=name, id=id, data=orjson.dumps(data, default=str))


def answer(view: Endpoint, feed: Callable[[Node], Feed]) -> StreamingHttpResponse:
    """
    Answer with what ``feed`` gives, as long as it does and whoever asked may have it.

    :raises ServiceUnavailable: where no server runs in this process
    :raises RateLimited: if whoever asks opened too many streams
    """
    rates.admit(Counted.STREAM, view.principal)
    here = node.required()
    let_go_of_database()
    raw = view.request._request
    unsent = (getattr(raw, "scope", {}).get("extensions") or {}).get("aegis.unsent")
    written = _write(here, feed, still=lambda: is_same(view), unsent=unsent)
    return StreamingHttpResponse(written, headers=HEADERS)


def let_go_of_database() -> None:
    """Hold no connection while something else is waited for; SQLite's are not pooled."""
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        connection.close()


def is_same(view: Endpoint) -> bool:
    """Whether the request, if it came now, would come from the same principal."""
    raw = copy.copy(view.request._request)
    if hasattr(raw, "session"):
        raw.session = type(raw.session)(raw.session.session_key)
        raw.user = get_user(raw)
    again = Request(raw, authenticators=view.get_authenticators())
    try:
        return bool(again.auth == view.request.auth)
    except (AegisError, APIException):
        return False


async def _write(
    here: Node,
    feed: Callable[[Node], Feed],
    *,
    still: Callable[[], bool],
    unsent: Callable[[], int] | None,
) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    if loop is not here.loop:
        raise ServiceUnavailable("Events are sent from the loop of the node alone.")
    said = checked = loop.time()
    yield b"retry: %d\n\n" % RETRY_MS
    async with aclosing(feed(here)) as pieces:
        async for piece in pieces:
            now = loop.time()
            if now - checked >= CHECK_SECONDS:
                checked = now
                if not await read_db(still):
                    return
            if piece or now - said >= BEAT_SECONDS:
                said = now
                yield piece or b": beat\n\n"
            while unsent is not None and unsent() > UNSENT_BYTES:  # noqa: ASYNC110 -- no event is set
                await asyncio.sleep(UNSENT_POLL_SECONDS)
