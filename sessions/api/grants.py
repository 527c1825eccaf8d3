"""Rules made from decisions: reading them, and taking them back."""

from typing import Any
from uuid import UUID

from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.models import Grant
from sessions.selectors import policies as reading
from sessions.services import policies
from streaming.api import codecs
from streaming.api.base import Endpoint
from streaming.api.codecs import Timestamp
from streaming.api.documents import PageQuery
from streaming.api.schema import operation
from streaming.selectors import pages


class GrantDocument(Struct, kw_only=True):
    """A rule made from a decision; of one run, one session, or one agent in one environment."""

    id: UUID
    tool: str
    verdict: str
    conditions: list[dict[str, Any]]
    run: UUID | None
    session: UUID | None
    agent: str | None
    environment: str
    team: str | None
    approval: UUID | None
    made_by: str
    until: Timestamp | None
    revoked_at: Timestamp | None
    created_at: Timestamp


class GrantPage(Struct, kw_only=True):
    """Rules made from decisions, and the cursor of the page that follows."""

    data: list[GrantDocument]
    next: str


class Grants(Endpoint):
    """The rules made from decisions in your teams."""

    @operation(
        "grants.list",
        tag="policies",
        query=PageQuery,
        fields=GrantDocument,
        answers={200: GrantPage},
    )
    def get(self, _request: Request) -> Response:
        """List them, the newest first, also those that were taken back."""
        query = self.asked(PageQuery)
        rows = reading.grants(self.principal)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        shown = [codecs.show(document(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(shown, query.fields, GrantDocument), "next": page.next}
        )


class OneGrant(Endpoint):
    """One rule made from a decision."""

    @operation("grants.read", tag="policies", answers={200: GrantDocument})
    def get(self, _request: Request, grant: str) -> Response:
        """Read it."""
        return Response(codecs.show(document(reading.grant(self.principal, grant))))

    @operation("grants.revoke", tag="policies", answers={204: None})
    def delete(self, _request: Request, grant: str) -> Response:
        """Take it back; what it let by stays."""
        policies.revoke(principal=self.principal, grant=grant)
        return Response(status=204)


def document(row: Grant) -> GrantDocument:
    """The document of a rule made from a decision."""
    names = ("tool", "verdict", "conditions", "environment", "made_by", "until", "revoked_at")
    return GrantDocument(
        id=row.pk,
        run=row.run_id,
        session=row.session_id,
        agent=row.agent.slug if row.agent else None,
        team=row.team.name if row.team else None,
        approval=row.approval_id,
        created_at=row.created_at,
        **{name: getattr(row, name) for name in names},
    )
