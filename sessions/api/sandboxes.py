"""A session's sandbox over HTTP, by the names that files have in it."""

from typing import Annotated

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import tool_documents as documents
from sessions.api.attachments import download
from sessions.api.tool_documents import ArtifactDocument
from sessions.core import sandbox
from sessions.selectors import artifacts as reading
from sessions.selectors import history
from streaming.api import codecs
from streaming.api.base import Endpoint
from streaming.api.schema import operation

Name = Annotated[str, Meta(max_length=sandbox.LONGEST)]
# What both databases count to.
HIGHEST = 2**31 - 1


class FolderQuery(Struct, kw_only=True):
    """A folder in the sandbox; the sandbox itself if left out."""

    folder: Name = ""


class FileQuery(Struct, kw_only=True):
    """A file in the sandbox, in this version or the newest."""

    name: Annotated[str, Meta(min_length=1, max_length=sandbox.LONGEST)]
    version: Annotated[int, Meta(ge=1, le=HIGHEST)] | None = None


class PartDocument(Struct, kw_only=True):
    """A folder in a folder: how many files are beneath it, and their bytes."""

    name: str
    files: int
    size: int


class FolderDocument(Struct, kw_only=True):
    """
    What is in a folder.

    `name` is the last part of a folder's; files have their whole names. `is_cut` says that there
    are more files beneath it than are looked at, 10 000.
    """

    folder: str
    folders: list[PartDocument]
    files: list[ArtifactDocument]
    is_cut: bool


class Sandbox(Endpoint):
    """The folders of a session's sandbox."""

    @operation(
        "sessions.sandbox", tag="artifacts", query=FolderQuery, answers={200: FolderDocument}
    )
    def get(self, _request: Request, session: str) -> Response:
        """List what is in a folder, by name; files in their newest versions."""
        row = history.readable(self.principal, session)
        name = self.asked(FolderQuery).folder.rstrip("/")
        found = reading.folder(row.pk, name)
        return Response(
            codecs.show(
                FolderDocument(
                    folder=name,
                    folders=[PartDocument(**part._asdict()) for part in found.parts],
                    files=[documents.artifact(one) for one in found.files],
                    is_cut=found.is_cut,
                )
            )
        )


class SandboxContent(Endpoint):
    """The bytes of a file by its name."""

    @operation(
        "sessions.sandbox.content",
        tag="artifacts",
        query=FileQuery,
        answers={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, _request: Request, session: str) -> HttpResponseBase:
        """Download a file as it was written."""
        row = history.readable(self.principal, session)
        query = self.asked(FileQuery)
        found = reading.named(row.pk, sandbox.name(query.name), version=query.version)
        name = found.name.rpartition("/")[2]
        return download(reading.content(found), filename=name, content_type=found.content_type)
