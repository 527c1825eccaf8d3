"""Files that come in pieces, so that one that broke off goes on where it was."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.core import ranges, sandbox
from sessions.core.links import Kind
from sessions.models import Upload
from sessions.selectors import history, sessions
from sessions.selectors import uploads as reading
from sessions.services import uploads
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation

Digest = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", description="SHA-256 in hex.")]
RANGE = OpenApiParameter(
    "Content-Range",
    {"type": "string", "pattern": r"^bytes \d{1,12}-\d{1,12}/\d{1,12}$"},
    OpenApiParameter.HEADER,
    description="Which bytes of how many: `bytes 0-1048575/5242880`.",
    required=True,
)


class UploadInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A file that will come, in bytes, and what it becomes."""

    name: Annotated[str, Meta(min_length=1, max_length=sandbox.LONGEST)]
    size: Annotated[int, Meta(ge=1, le=uploads.MAX_BYTES)]
    kind: Kind = Kind.ARTIFACT
    sha256: Digest = ""


class FinishInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the whole has to be, unless that was said at the beginning."""

    sha256: Digest = ""


class UploadDocument(Struct, kw_only=True):
    """How far a file is: `received` bytes of `size`; `file` is the id of what it has become."""

    id: UUID
    session_id: UUID
    kind: Kind
    name: str
    size: int
    received: int
    sha256: str
    file: UUID | None
    created_at: Timestamp
    updated_at: Timestamp


class Uploads(Endpoint):
    """Files that come in pieces."""

    examples: ClassVar[Mapping[str, Any]] = {
        "post": {"name": "data/prices.csv", "size": 5242880, "kind": "artifact"}
    }

    @operation(
        "sessions.uploads.post", tag="artifacts", body=UploadInput, answers={201: UploadDocument}
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Begin to bring in a file; its pieces are put to the address in `Location`."""
        wanted = self.ordered(UploadInput)
        made = uploads.begin(
            principal=self.principal,
            session=session,
            kind=wanted.kind,
            name=wanted.name,
            size=wanted.size,
            sha256=wanted.sha256,
        )
        response = Response(_shown(made), status=201)
        response["Location"] = f"/api/v1/sessions/{made.session_id}/uploads/{made.pk}"
        return response


class OneUpload(Endpoint):
    """A file on its way."""

    @operation("sessions.uploads.read", tag="artifacts", answers={200: UploadDocument})
    def get(self, _request: Request, session: str, upload: str) -> Response:
        """Read how far it is: what comes next begins at byte `received`."""
        row = history.readable(self.principal, session)
        return Response(_shown(reading.find(row.pk, upload)))

    @operation(
        "sessions.uploads.put",
        tag="artifacts",
        body=OpenApiTypes.BINARY,
        media="application/octet-stream",
        parameters=[RANGE],
        answers={200: UploadDocument},
    )
    def put(self, request: Request, session: str, upload: str) -> Response:
        """
        Bring a piece, 2 MiB at most; the same again changes nothing.

        One that leaves a gap is refused with 416, and `received` says where to go on.
        """
        self.principal.require("messages:write")
        # Who may not know of it is told so, whatever else is wrong.
        reading.find(sessions.find(self.principal, session).pk, upload)
        piece = ranges.read(request.headers.get("Content-Range", ""))
        found = uploads.take(
            principal=self.principal,
            session=session,
            upload=upload,
            piece=piece,
            content=self.raw(),
        )
        return Response(_shown(found))

    @operation("sessions.uploads.delete", tag="artifacts", answers={204: None})
    def delete(self, _request: Request, session: str, upload: str) -> Response:
        """Give it up; a file that it has become stays."""
        uploads.cancel(principal=self.principal, session=session, upload=upload)
        return Response(status=204)


class FinishUpload(Endpoint):
    """The end of a file on its way."""

    @operation(
        "sessions.uploads.finish.post",
        tag="artifacts",
        body=FinishInput,
        answers={200: UploadDocument},
    )
    @once
    def post(self, _request: Request, session: str, upload: str) -> Response:
        """Make the artifact or attachment of all pieces, if they are what the digest says."""
        found = uploads.finish(
            principal=self.principal,
            session=session,
            upload=upload,
            sha256=self.ordered(FinishInput).sha256,
        )
        return Response(_shown(found))


def _shown(row: Upload) -> dict[str, Any]:
    names = [name for name in UploadDocument.__struct_fields__ if name not in {"id", "kind"}]
    own = {name: getattr(row, name) for name in names}
    return codecs.show(UploadDocument(id=row.pk, kind=Kind(row.kind), **own))
