"""Files that come in with messages: the list, bringing one in, reading and removing one."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import message_documents as documents
from sessions.api.message_documents import AttachmentDocument
from sessions.api.uploads import FORM, UploadEndpoint, UploadForm
from sessions.models import Attachment
from sessions.selectors import attachments as selecting
from sessions.selectors import history
from sessions.services import attachments
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.documents import PageQuery
from streaming.api.schema import operation
from streaming.selectors import pages


class AttachmentPage(Struct, kw_only=True):
    """Attachments, the newest first, and the cursor of the page that follows."""

    data: list[AttachmentDocument]
    next: str


class Attachments(UploadEndpoint):
    """The files that came in with messages, or wait for one."""

    @operation(
        "sessions.attachments",
        tag="messages",
        query=PageQuery,
        fields=AttachmentDocument,
        answers={200: AttachmentPage},
    )
    def get(self, _request: Request, session: str) -> Response:
        """List the attachments of a session."""
        query = self.asked(PageQuery)
        rows = selecting.of_session(history.readable(self.principal, session).pk)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        shown = [codecs.show(documents.attachment(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(shown, query.fields, AttachmentDocument), "next": page.next}
        )

    @operation(
        "sessions.attachments.post",
        tag="messages",
        body=UploadForm,
        media=FORM,
        answers={201: AttachmentDocument},
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """
        Bring a file in; then name its id among the `attachments` of a message.

        What it is, its content says. A file whose name says something else is refused.
        """
        filename, content = self.file
        made = attachments.upload(
            principal=self.principal, session=session, filename=filename, content=content
        )
        response = Response(codecs.show(documents.attachment(made)), status=201)
        response["Location"] = f"/api/v1/sessions/{made.session_id}/attachments/{made.pk}"
        return response


class OneAttachment(Endpoint):
    """One file."""

    @operation("sessions.attachments.read", tag="messages", answers={200: AttachmentDocument})
    def get(self, _request: Request, session: str, attachment: str) -> Response:
        """Read what a file is."""
        return Response(codecs.show(documents.attachment(_found(self, session, attachment))))

    @operation("sessions.attachments.delete", tag="messages", answers={204: None})
    def delete(self, _request: Request, session: str, attachment: str) -> Response:
        """Remove a file, also of a message."""
        attachments.delete(principal=self.principal, session=session, attachment=attachment)
        return Response(status=204)


class AttachmentContent(Endpoint):
    """The bytes of a file."""

    @operation(
        "sessions.attachments.content",
        tag="messages",
        answers={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, _request: Request, session: str, attachment: str) -> HttpResponseBase:
        """Download a file as it came in."""
        found = _found(self, session, attachment)
        return download(
            selecting.content(found), filename=found.filename, content_type=found.content_type
        )


def download(content: bytes, *, filename: str, content_type: str) -> HttpResponse:
    """A file that somebody else made: it is kept and never shown as a page of ours."""
    answer = HttpResponse(content, content_type=content_type)
    disposition = content_disposition_header(as_attachment=True, filename=filename)
    answer["Content-Disposition"] = disposition or "attachment"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _found(view: Endpoint, session: str, attachment: str) -> Attachment:
    row = history.readable(view.principal, session)
    return selecting.find(row.pk, attachment)
