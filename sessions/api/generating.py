"""Making files of what somebody says should be in them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import tool_documents as documents
from sessions.api.tool_documents import ArtifactDocument
from sessions.core import sandbox
from sessions.files.generators.base import Wanted
from sessions.services import generation
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.schema import operation


class GenerateInput(Wanted, kw_only=True, forbid_unknown_fields=True):
    """
    A file, and what should be in it.

    A `report` (md html txt pdf) has a title, text and sections; `data` (csv json xlsx xml) has
    rows; `code` is a program in a language, beneath its title as a comment.
    """

    name: Annotated[str, Meta(min_length=1, max_length=sandbox.LONGEST)]


class Generate(Endpoint):
    """Files that are generated."""

    examples: ClassVar[Mapping[str, Any]] = {
        "post": {
            "name": "reports/today",
            "type": "report",
            "format": "pdf",
            "title": "Today",
            "sections": [{"heading": "Prices", "rows": [{"symbol": "BTCUSDT", "close": 61000.5}]}],
        }
    }

    @operation(
        "sessions.artifacts.generate.post",
        tag="artifacts",
        body=GenerateInput,
        answers={201: ArtifactDocument},
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Generate a file; a name that is there gets a new version."""
        wanted = self.ordered(GenerateInput)
        made = generation.generate(
            principal=self.principal, session=session, name=wanted.name, wanted=wanted
        )
        response = Response(codecs.show(documents.artifact(made)), status=201)
        response["Location"] = f"/api/v1/sessions/{made.session_id}/artifacts/{made.pk}"
        return response
