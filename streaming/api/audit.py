"""The audit over HTTP: lists, files, and the proof of its chain."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.database import read_db
from streaming.api import audit_documents as documents
from streaming.api import codecs
from streaming.api.audit_documents import (
    AuditDocument,
    AuditFilter,
    AuditPage,
    ChainVerdictDocument,
    Digest,
    Place,
)
from streaming.api.base import ByParameter, Endpoint
from streaming.api.documents import Cursor, Fields, Limit
from streaming.api.schema import operation
from streaming.core import audit_export
from streaming.core.audit_export import Format
from streaming.models import AuditEntry
from streaming.selectors import audit, audit_proof, pages
from streaming.selectors.audit_proof import Anchor

MOST = 100_000


class AuditQuery(AuditFilter, kw_only=True):
    """Which entries, and which page of them."""

    cursor: Cursor = ""
    limit: Limit = 50
    fields: Fields = ""


class AuditExportQuery(AuditFilter, kw_only=True):
    """Which entries, in which form."""

    format: Literal["ndjson", "csv"] = "ndjson"


class VerifyQuery(Struct, kw_only=True):
    """Where a walk along the chain begins, how far it goes, and what somebody knows of the chain."""

    after: Place = 0
    limit: Annotated[int, Meta(ge=1, le=MOST)] = MOST
    kept_place: Place = 0
    kept_digest: Digest = ""


class Audit(Endpoint):
    """Who asked for what, and what it came to."""

    @operation(
        "audit.list", tag="audit", query=AuditQuery, fields=AuditDocument, answers={200: AuditPage}
    )
    def get(self, _request: Request) -> Response:
        """
        List entries, the newest first: of sessions of your teams, and of what you did yourself.

        With the scope audit:read.
        """
        query = self.asked(AuditQuery)
        rows = audit.narrowed(audit.readable(self.principal), query.wanted())
        page = pages.page(rows, order="-at", cursor=query.cursor, limit=query.limit)
        found = [codecs.show(documents.document(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(found, query.fields, AuditDocument), "next": page.next}
        )


class OneEntry(Endpoint):
    """One entry."""

    @operation("audit.read", tag="audit", answers={200: AuditDocument})
    def get(self, _request: Request, entry: str) -> Response:
        """Read an entry by its id."""
        return Response(codecs.show(documents.document(audit.find(self.principal, entry))))


class AuditVerify(Endpoint):
    """Whether the chain is whole."""

    @operation("audit.verify", tag="audit", query=VerifyQuery, answers={200: ChainVerdictDocument})
    def get(self, _request: Request) -> Response:
        """
        Walk along the chain, and name the first entry that was changed, removed, moved or put in.

        `kept_place` and `kept_digest`, kept elsewhere since an earlier walk, are compared, too.
        """
        query = self.asked(VerifyQuery)
        kept = Anchor(query.kept_place, query.kept_digest) if query.kept_place else None
        found = audit_proof.verify(self.principal, after=query.after, limit=query.limit, kept=kept)
        return Response(codecs.show(documents.verdict(found)))


class AuditExport(Endpoint):
    """The audit as a file."""

    content_negotiation_class = ByParameter

    @operation(
        "audit.export",
        tag="audit",
        query=AuditExportQuery,
        answers={
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, _request: Request) -> HttpResponseBase:
        """
        Download the entries that the same filters list, oldest first.

        NDJSON has one entry a line. In CSV a text that a spreadsheet would take for a formula
        begins with an apostrophe.
        """
        query = self.asked(AuditExportQuery)
        rows = audit.narrowed(audit.readable(self.principal), query.wanted())
        return download(rows, audit_export.FORMATS[query.format]())


def download(rows: QuerySet[AuditEntry], form: Format) -> HttpResponseBase:
    """These entries as a file."""
    answer = StreamingHttpResponse(_file(rows, form), content_type=form.content_type)
    disposition = content_disposition_header(as_attachment=True, filename=f"audit.{form.suffix}")
    answer["Content-Disposition"] = disposition or "attachment"
    return answer


async def _file(rows: QuerySet[AuditEntry], form: Format) -> AsyncIterator[bytes]:
    yield form.begin()
    after = 0
    while found := await read_db(audit.batch, rows, after=after):
        yield form.lines(documents.line(one) for one in found)
        after = found[-1].pk
