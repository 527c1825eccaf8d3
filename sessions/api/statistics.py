"""Numbers of sessions over HTTP, and their days as a file."""

from typing import Annotated

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api.statistics_documents import StatisticsDocument, shown
from sessions.selectors import statistics
from sessions.selectors.statistics import Wanted
from streaming.api import codecs
from streaming.api.base import ByParameter, Endpoint
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation

Word = Annotated[str, Meta(max_length=150, pattern="^[^\\x00]*$")]


class StatisticsQuery(Struct, kw_only=True):
    """
    Of when (the last seven days, unless said; 366 at most) and of what.

    `zone` is the time zone of the days. `own` are the sessions that you own. `fresh` counts anew.
    """

    since: Timestamp | None = None
    until: Timestamp | None = None
    zone: Annotated[str, Meta(max_length=64, description="As Europe/Paris.")] = "UTC"
    team: Word = ""
    session: Annotated[str, Meta(max_length=128)] = ""
    agent: Annotated[str, Meta(max_length=100, pattern="^[^\\x00]*$")] = ""
    own: bool = False
    fresh: bool = False

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            at = getattr(self, name)
            if at is not None:
                setattr(self, name, codecs.in_utc(at))

    def wanted(self) -> Wanted:
        """What the selector takes."""
        names = ("since", "until", "zone", "team", "session", "agent")
        return Wanted(**{name: getattr(self, name) for name in names}, is_own=self.own)


class Statistics(Endpoint):
    """Numbers of the sessions that you may see."""

    @operation(
        "statistics", tag="statistics", query=StatisticsQuery, answers={200: StatisticsDocument}
    )
    def get(self, _request: Request) -> Response:
        """Count sessions, messages, runs, tool calls, approvals and topics, also by day."""
        query = self.asked(StatisticsQuery)
        found = statistics.read(self.principal, query.wanted(), is_fresh=query.fresh)
        return Response(shown(found))


class StatisticsFile(Endpoint):
    """The same a day at a time, as a file."""

    content_negotiation_class = ByParameter

    @operation(
        "statistics.export",
        tag="statistics",
        query=StatisticsQuery,
        answers={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, _request: Request) -> HttpResponseBase:
        """Download the days as CSV; empty is what you may not read."""
        query = self.asked(StatisticsQuery)
        found = statistics.read(self.principal, query.wanted(), is_fresh=query.fresh)
        named = {"Content-Disposition": f'attachment; filename="{found.file_name}"'}
        return HttpResponse(found.file, content_type="text/csv; charset=utf-8", headers=named)
