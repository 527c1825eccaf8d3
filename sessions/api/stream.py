"""What a run says, as it says it."""

from typing import Annotated

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import feeds
from sessions.core import sse as words
from sessions.selectors import run_stream, runs
from streaming.api import sse
from streaming.api.schema import operation
from streaming.api.sse import LAST_ID, Always, EventStream, Streaming

Place = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{1,15}(\.[0-9])?)?$",
        description="The id of the last event that came; without one, what was said so far comes"
        " first, in few pieces.",
    ),
]


class StreamQuery(Struct, kw_only=True):
    """Where to go on."""

    after: Place = ""


class RunStream(Streaming):
    """The stream of a run."""

    renderer_classes = [EventStream]
    content_negotiation_class = Always

    @operation(
        "runs.stream",
        tag="runs",
        query=StreamQuery,
        parameters=[LAST_ID],
        answers={(200, sse.MEDIA_TYPE): OpenApiTypes.OBJECT, 204: None},
    )
    def get(self, request: Request, run: str) -> HttpResponseBase:
        """
        Follow what a run says, to its end.

        The events are message_start, content_delta, tool_call, approval_required, tool_result,
        data, status, and at last message_end or error. A message_start with `attempt` 2 or 3 makes void what came behind the id `keeps`. 204 when
        the run is over and nothing is left to come.
        """
        self.principal.require("runs:read")
        row = runs.find(self.principal, run)
        after = sse.last_id(request, self.asked(StreamQuery).after)
        behind = words.parse(after) if after else words.Place(0, 0)
        if not row.is_open and not run_stream.is_left(row, behind.seq):
            return Response(status=204)
        return sse.answer(self, lambda here: feeds.run(here, row, behind))
