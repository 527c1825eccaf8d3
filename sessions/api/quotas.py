"""What your teams have of what their quotas allow."""

from itertools import groupby
from operator import attrgetter
from typing import Any

from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.quotas import Quota
from sessions.selectors import quotas
from sessions.selectors.quotas import Use
from streaming.api import codecs
from streaming.api.base import Endpoint
from streaming.api.schema import operation


class QuotaDocument(Struct, kw_only=True):
    """How much there is now, and the most that there may be; null is no limit."""

    used: int
    most: int | None


class TeamQuotasDocument(Struct, kw_only=True):
    """
    One team: its open sessions, the bytes of its files, its runs and tokens of today.

    A day begins at midnight UTC. What results of tools take counts, and is never refused.
    """

    team: str
    open_sessions: QuotaDocument
    stored_bytes: QuotaDocument
    runs_per_day: QuotaDocument
    tokens_per_day: QuotaDocument


class TeamQuotasList(Struct, kw_only=True):
    """Your teams, by name."""

    data: list[TeamQuotasDocument]


class Quotas(Endpoint):
    """What your teams have, and may have."""

    @operation("quotas.list", tag="teams", answers={200: TeamQuotasList})
    def get(self, _request: Request) -> Response:
        """List what each of your teams uses of its quotas."""
        return Response({"data": [codecs.show(one) for one in documents(self.principal)]})


def documents(principal: Any) -> list[TeamQuotasDocument]:
    """Each team that the principal sees, with all of its quotas."""
    found = groupby(quotas.of_all(principal), key=attrgetter("team"))
    return [document(team, {one.quota: one for one in some}) for team, some in found]


def document(team: str, found: dict[Quota, Use]) -> TeamQuotasDocument:
    """The document of a team."""
    figures = {
        quota.value: QuotaDocument(used=one.used, most=one.most) for quota, one in found.items()
    }
    return TeamQuotasDocument(team=team, **figures)
