"""Looking into files: what one is and holds, told by its content."""

from typing import Annotated, Any

from django.db import connection
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.files import analyzing
from sessions.files.analyzers.base import Kind, Options, Target
from sessions.selectors import artifacts, attachments, history
from streaming.api.base import Endpoint
from streaming.api.schema import operation

MOST = 100_000


class AnalysisQuery(Struct, kw_only=True):
    """What is wanted of a file."""

    analysis_type: Annotated[
        Kind,
        Meta(
            description="`extract` gives its text, `query` lines with a text, `transform` its table."
        ),
    ] = "summary"
    query: Annotated[str, Meta(max_length=200, description="For `query`, in any case.")] = ""
    to: Annotated[Target, Meta(description="For `transform`.")] = "json"
    max_content_length: Annotated[int, Meta(ge=1, le=MOST, description="Characters.")] = 10_000

    def options(self) -> Options:
        """What analyzers take."""
        return Options(
            kind=self.analysis_type, query=self.query, to=self.to, most=self.max_content_length
        )


class ReasonDocument(Struct, kw_only=True):
    """Why a file could not be analyzed."""

    code: str
    message: str


class AnalysisDocument(Struct, kw_only=True):
    """
    What a file is and holds.

    `analyzer` is `document`, `image`, `code`, `data`, `archive`, or `generic`, which knows no more
    than the size. `data` has figures by format, `metadata` what the file says of itself. What is
    broken, or more than one analysis may take, has `success` false and says why.
    """

    success: bool
    analysis_type: Kind
    analyzer: str
    format: str
    content_type: str
    supported: bool
    size: int
    content: str
    data: dict[str, Any]
    metadata: dict[str, Any]
    error: ReasonDocument | None
    processing_time_ms: float


class ArtifactAnalysis(Endpoint):
    """What is in a file that was made in a session."""

    @operation(
        "sessions.artifacts.analysis",
        tag="artifacts",
        query=AnalysisQuery,
        answers={200: AnalysisDocument},
    )
    def get(self, _request: Request, session: str, artifact: str) -> Response:
        """Analyze a file: by its content, whatever it is called."""
        row = history.readable(self.principal, session)
        options = self.asked(AnalysisQuery).options()
        return _analyzed(artifacts.content(artifacts.find(row.pk, artifact)), options)


class AttachmentAnalysis(Endpoint):
    """What is in a file that came with a message."""

    @operation(
        "sessions.attachments.analysis",
        tag="messages",
        query=AnalysisQuery,
        answers={200: AnalysisDocument},
    )
    def get(self, _request: Request, session: str, attachment: str) -> Response:
        """Analyze a file: by its content, whatever it is called."""
        row = history.readable(self.principal, session)
        options = self.asked(AnalysisQuery).options()
        return _analyzed(attachments.content(attachments.find(row.pk, attachment)), options)


def _analyzed(content: bytes, options: Options) -> Response:
    # While this waits for another process, others use the connection; SQLite has one a thread.
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        connection.close()
    return Response(analyzing.analyze(content, options))
