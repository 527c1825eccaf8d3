"""Files that are made in a session: the list, writing one, reading and removing one."""

from typing import Annotated

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import tool_documents as documents
from sessions.api.attachments import download
from sessions.api.tool_documents import ArtifactDocument, ArtifactPage, VersionList
from sessions.api.uploads import FORM, UploadEndpoint, UploadForm
from sessions.core import sandbox
from sessions.models import Artifact
from sessions.selectors import artifacts as reading
from sessions.selectors import history
from sessions.services import artifacts
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.documents import PageQuery
from streaming.api.schema import operation
from streaming.selectors import pages

MOST_VERSIONS = 1000


class NameQuery(Struct, kw_only=True):
    """What the file is called in the sandbox."""

    name: Annotated[
        str, Meta(max_length=sandbox.LONGEST, description="The name of the part if left out.")
    ] = ""


class Artifacts(UploadEndpoint):
    """The files of a session."""

    @operation(
        "sessions.artifacts",
        tag="artifacts",
        query=PageQuery,
        fields=ArtifactDocument,
        answers={200: ArtifactPage},
    )
    def get(self, _request: Request, session: str) -> Response:
        """List the files in their newest versions, the one written last first."""
        query = self.asked(PageQuery)
        rows = reading.newest(history.readable(self.principal, session).pk)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        shown = [codecs.show(documents.artifact(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(shown, query.fields, ArtifactDocument), "next": page.next}
        )

    @operation(
        "sessions.artifacts.post",
        tag="artifacts",
        query=NameQuery,
        body=UploadForm,
        media=FORM,
        answers={201: ArtifactDocument},
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Write a file; a name that is there gets a new version."""
        filename, content = self.file
        made = artifacts.create(
            principal=self.principal,
            session=session,
            name=self.asked(NameQuery).name or filename,
            content=content,
        )
        response = Response(codecs.show(documents.artifact(made)), status=201)
        response["Location"] = f"/api/v1/sessions/{made.session_id}/artifacts/{made.pk}"
        return response


class OneArtifact(Endpoint):
    """One version of a file."""

    @operation("sessions.artifacts.read", tag="artifacts", answers={200: ArtifactDocument})
    def get(self, _request: Request, session: str, artifact: str) -> Response:
        """Read what a file is."""
        return Response(codecs.show(documents.artifact(_found(self, session, artifact))))

    @operation("sessions.artifacts.delete", tag="artifacts", answers={204: None})
    def delete(self, _request: Request, session: str, artifact: str) -> Response:
        """Remove this version; the others stay."""
        artifacts.delete(principal=self.principal, session=session, artifact=artifact)
        return Response(status=204)


class Versions(Endpoint):
    """All versions of a file."""

    @operation("sessions.artifacts.versions", tag="artifacts", answers={200: VersionList})
    def get(self, _request: Request, session: str, artifact: str) -> Response:
        """List the versions of the same name, the newest first."""
        found = _found(self, session, artifact)
        rows = reading.versions(found.session_id, found.name)[:MOST_VERSIONS]
        return Response({"data": [codecs.show(documents.artifact(one)) for one in rows]})


class Content(Endpoint):
    """The bytes of a file."""

    @operation(
        "sessions.artifacts.content",
        tag="artifacts",
        answers={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, _request: Request, session: str, artifact: str) -> HttpResponseBase:
        """Download a file as it was written."""
        found = _found(self, session, artifact)
        name = found.name.rpartition("/")[2]
        return download(reading.content(found), filename=name, content_type=found.content_type)


def _found(view: Endpoint, session: str, artifact: str) -> Artifact:
    return reading.find(history.readable(view.principal, session).pk, artifact)
