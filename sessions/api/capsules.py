"""A session as one file: taken away, and brought in."""

import hashlib
import tempfile
from collections.abc import AsyncIterator
from typing import Annotated

from django.core.files.uploadedfile import UploadedFile
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import answers
from sessions.api.documents import SessionDocument
from sessions.api.uploads import FORM, UploadEndpoint, UploadForm
from sessions.files.capsules import Reader
from sessions.services import capsules
from streaming.api.base import ByParameter, Endpoint, once
from streaming.api.following import LINES, Following, followed
from streaming.api.schema import operation

MEDIA_TYPE = "application/zip"
DIGEST = "Aegis-Digest"
SPOOLED = 1024 * 1024
PIECE = 64 * 1024


class ImportQuery(Struct, kw_only=True):
    """Under which key, and for which team; without, its own key if it is free, and your only team."""

    key: Annotated[str, Meta(max_length=128)] = ""
    team: Annotated[str, Meta(max_length=150)] = ""


class Capsule(Endpoint):
    """A session as one file."""

    content_negotiation_class = ByParameter

    @operation("sessions.capsule", tag="recovery", answers={(200, MEDIA_TYPE): OpenApiTypes.BINARY})
    def get(self, _request: Request, session: str) -> HttpResponseBase:
        """
        Download all that is a session's own, as it is at one moment, without its secrets.

        The header Aegis-Digest has what proves it: the same content has the same digest on every
        database.
        """
        file = Spool(SPOOLED)
        done = capsules.export(principal=self.principal, session=session, file=file)
        answer = StreamingHttpResponse(_pieces(file), content_type=MEDIA_TYPE)
        answer["Content-Length"] = str(file.tell())
        answer[DIGEST] = done.manifest.digest
        name = f"{done.session.key}.capsule".replace(":", "_")
        disposition = content_disposition_header(as_attachment=True, filename=name)
        answer["Content-Disposition"] = disposition or "attachment"
        file.seek(0)
        return answer


class Spool(tempfile.SpooledTemporaryFile[bytes]):
    """A file that is gone with the answer that it is in, whether anybody took that or not."""

    def __del__(self) -> None:
        self.close()


async def _pieces(file: Spool) -> AsyncIterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


class ImportSession(Following, UploadEndpoint):
    """A session of a file that another one was written into."""

    def take(self, file: "UploadedFile[bytes]") -> None:
        # What was uploaded is closed with the request, and this may go on when that is cut.
        self.capsule, found = Spool(SPOOLED), hashlib.sha256()
        for piece in file.chunks():
            found.update(piece)
            self.capsule.write(piece)
        self.know(file, found.digest())

    @operation(
        "sessions.import",
        tag="recovery",
        query=ImportQuery,
        body=UploadForm,
        media=FORM,
        answers={201: SessionDocument, (200, LINES): OpenApiTypes.STR},
    )
    @followed
    @once
    def post(self, _request: Request) -> Response:
        """
        Make a session of a capsule that was proven; nothing of it goes on by itself.

        It has at most 100 MiB; the command line takes larger ones.

        Who accepts application/x-ndjson is answered with a line for how far it is, `stage`, `done`
        and `total`, again and again; the last one has the `status`, and the session as `data` or
        the `error`. What a cut connection leaves goes on: the same Idempotency-Key tells its end.
        """
        query = self.asked(ImportQuery)
        # To prove it is work, which nobody has done who may not bring one.
        capsules.check_bringer(self.principal)
        made = capsules.bring(
            principal=self.principal,
            capsule=Reader(self.capsule, progress=self.progress),
            key=query.key,
            team=query.team,
            progress=self.progress,
        )
        return answers.made(made, is_alone=False)
