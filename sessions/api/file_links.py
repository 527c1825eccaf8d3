"""Links to files: given and withdrawn by who may, followed by everybody who has one."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from msgspec import Meta, Struct
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api.attachments import download
from sessions.core.links import LONGEST, SHORTEST, USUAL, Kind
from sessions.selectors import links as reading
from sessions.services import links
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation


class LinkInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """How long a link holds, in seconds."""

    expires_in: Annotated[int, Meta(ge=SHORTEST, le=LONGEST)] = USUAL


class LinkDocument(Struct, kw_only=True):
    """A link; who has it needs nothing else."""

    url: str
    expires_at: Timestamp


class ArtifactLink(Endpoint):
    """Links to a file that was made in a session."""

    examples: ClassVar[Mapping[str, Any]] = {"post": {"expires_in": 600}}

    @operation(
        "sessions.artifacts.link.post",
        tag="artifacts",
        body=LinkInput,
        answers={201: LinkDocument},
    )
    @once
    def post(self, _request: Request, session: str, artifact: str) -> Response:
        """Give a link with which everybody who has it downloads this version for some time."""
        return _issued(self, session, Kind.ARTIFACT, artifact)

    @operation("sessions.artifacts.link.withdraw", tag="artifacts", answers={204: None})
    def delete(self, _request: Request, session: str, artifact: str) -> Response:
        """Withdraw all links to this version."""
        return _withdrawn(self, session, Kind.ARTIFACT, artifact)


class AttachmentLink(Endpoint):
    """Links to a file that came with a message."""

    examples: ClassVar[Mapping[str, Any]] = {"post": {"expires_in": 600}}

    @operation(
        "sessions.attachments.link.post",
        tag="messages",
        body=LinkInput,
        answers={201: LinkDocument},
    )
    @once
    def post(self, _request: Request, session: str, attachment: str) -> Response:
        """Give a link with which everybody who has it downloads this file for some time."""
        return _issued(self, session, Kind.ATTACHMENT, attachment)

    @operation("sessions.attachments.link.withdraw", tag="messages", answers={204: None})
    def delete(self, _request: Request, session: str, attachment: str) -> Response:
        """Withdraw all links to this file."""
        return _withdrawn(self, session, Kind.ATTACHMENT, attachment)


class LinkedFile(Endpoint):
    """What a link leads to."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @operation(
        "files.read",
        tag="artifacts",
        answers={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, _request: Request, link: str) -> HttpResponseBase:
        """Download a file; the link says which, until when, and that it may be read."""
        found = reading.opened(link)
        answer = download(found.content, filename=found.filename, content_type=found.content_type)
        # Nobody on the way keeps what is over in a moment.
        answer["Cache-Control"] = "private, no-store"
        answer["Referrer-Policy"] = "no-referrer"
        return answer


def _issued(view: Endpoint, session: str, kind: Kind, file: str) -> Response:
    made = links.issue(
        principal=view.principal,
        session=session,
        kind=kind,
        file=file,
        seconds=view.ordered(LinkInput).expires_in,
    )
    url = view.request.build_absolute_uri(f"/api/v1/files/{made.link}")
    return Response(codecs.show(LinkDocument(url=url, expires_at=made.expires_at)), status=201)


def _withdrawn(view: Endpoint, session: str, kind: Kind, file: str) -> Response:
    links.withdraw(principal=view.principal, session=session, kind=kind, file=file)
    return Response(status=204)
