"""Components and credentials of every session and team that one can see."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from components import selectors
from components.api import documents
from components.api.documents import (
    ComponentDocument,
    ComponentPage,
    CredentialDocument,
    CredentialPage,
    SecretDocument,
)
from components.core.lifecycle import Role, State
from components.core.scopes import SCOPES
from components.services import credentials
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.documents import PageQuery, Topics
from streaming.api.schema import operation
from streaming.selectors import cursors, pages

Scope = StrEnum("Scope", {one.upper().replace(":", "_"): one for one in sorted(SCOPES)})  # type: ignore[misc]


class ComponentQuery(PageQuery, kw_only=True):
    """Which components: of a session by its id, in a state, in a role, of a name."""

    session: UUID | None = None
    state: State | None = None
    role: Role | None = None
    name: str = ""


class CredentialQuery(PageQuery, kw_only=True):
    """Which credentials: of a session by its id, and whether also those that open nothing."""

    session: UUID | None = None
    kind: Literal["all", "program", "session"] = "all"
    usable: bool = False


class CredentialInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A credential for a program of one team; it can give no more than you have."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=50)]
    patterns: Topics = []
    team: Annotated[str, Meta(max_length=150)] = ""
    lifetime_seconds: Annotated[int, Meta(ge=1, le=315_360_000)] | None = None


class Components(Endpoint):
    """The components of all sessions that you can see."""

    @operation(
        "components.list",
        tag="components",
        query=ComponentQuery,
        fields=ComponentDocument,
        answers={200: ComponentPage},
    )
    def get(self, _request: Request) -> Response:
        """List components, the newest first."""
        query = self.asked(ComponentQuery)
        rows = selectors.readable(self.principal)
        wanted = {"session_id": query.session, "state": query.state, "role": query.role}
        rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
        if query.name:
            rows = rows.filter(name=query.name)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        shown = [codecs.show(documents.component(one)) for one in page.rows]
        data = codecs.pick(shown, query.fields, ComponentDocument)
        return Response({"data": data, "next": page.next})


class OneComponent(Endpoint):
    """One component."""

    @operation("components.read", tag="components", answers={200: ComponentDocument})
    def get(self, _request: Request, component: str) -> Response:
        """Read a component by its id."""
        found = selectors.read(self.principal, component)
        document = documents.component(found, cursors.of_component(found.pk))
        return Response(codecs.show(document))


class Credentials(Endpoint):
    """The credentials of your teams."""

    @operation(
        "credentials.list",
        tag="credentials",
        query=CredentialQuery,
        fields=CredentialDocument,
        answers={200: CredentialPage},
    )
    def get(self, _request: Request) -> Response:
        """List credentials, the newest first; their secrets are kept nowhere."""
        query = self.asked(CredentialQuery)
        rows = selectors.credentials(self.principal, is_usable=query.usable)
        if query.kind != "all":
            rows = rows.filter(session__isnull=query.kind == "program")
        if query.session is not None:
            rows = rows.filter(session_id=query.session)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        shown = [codecs.show(documents.credential(one)) for one in page.rows]
        data = codecs.pick(shown, query.fields, CredentialDocument)
        return Response({"data": data, "next": page.next})

    @operation(
        "credentials.issue", tag="credentials", body=CredentialInput, answers={201: SecretDocument}
    )
    @once
    def post(self, _request: Request) -> Response:
        """Issue a credential; its secret is shown this once."""
        order = self.ordered(CredentialInput)
        seconds = order.lifetime_seconds
        issued = credentials.issue(
            principal=self.principal,
            name=order.name,
            scopes=[scope.value for scope in order.scopes],
            patterns=order.patterns,
            team_id=selectors.team_for_new(self.principal, order.team).pk,
            lifetime=timedelta(seconds=seconds) if seconds else None,
        )
        kept = documents.credential(issued.credential)
        document = SecretDocument(secret=issued.secret, credential=kept)
        return Response(codecs.show(document), status=201)


class OneCredential(Endpoint):
    """One credential."""

    @operation("credentials.revoke", tag="credentials", answers={204: None})
    def delete(self, _request: Request, credential: str) -> Response:
        """Revoke a credential; the sockets that it opened are closed."""
        credentials.revoke(principal=self.principal, credential=credential)
        return Response(status=204)


class RotateInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """How long the old secret goes on opening what it does, beside the new one."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=2_592_000)] = 0


class RotateCredential(Endpoint):
    """A fresh secret in the place of one."""

    examples = {"POST": {"overlap_seconds": 3600}}

    @operation(
        "credentials.rotate", tag="credentials", body=RotateInput, answers={201: SecretDocument}
    )
    @once
    def post(self, _request: Request, credential: str) -> Response:
        """Issue the same rights under a new secret, shown this once; the old one ends after the overlap."""
        seconds = self.ordered(RotateInput).overlap_seconds
        issued = credentials.rotate(
            principal=self.principal, credential=credential, overlap=timedelta(seconds=seconds)
        )
        kept = documents.credential(issued.credential)
        document = SecretDocument(secret=issued.secret, credential=kept)
        return Response(codecs.show(document), status=201)
