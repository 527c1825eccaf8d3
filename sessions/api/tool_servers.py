"""Which servers of the Model Context Protocol agents may use."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api.agent_documents import given
from sessions.core.tool_servers import (
    LONGEST_SECRET,
    LONGEST_WORD,
    MOST_NAMES,
    MOST_WORDS,
    ToolServerDraft,
)
from sessions.models import ToolServer
from sessions.selectors import tool_servers as reading
from sessions.services import tool_servers
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation

Slug = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,49}$")]
Url = Annotated[str, Meta(max_length=500)]
Command = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=LONGEST_WORD)]], Meta(max_length=MOST_WORDS)
]
Secret = Annotated[
    dict[
        Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,100}$")],
        Annotated[str, Meta(max_length=LONGEST_SECRET)],
    ],
    Meta(
        max_length=MOST_NAMES,
        description="Headers, or the environment of the command; sealed and never shown again.",
    ),
]


class ToolServerDocument(Struct, kw_only=True):
    """
    A server whose tools agents may use as `mcp.SLUG.NAME`.

    Reached at its `url`, or started from its `command` by workers. Its secret is never shown.
    """

    slug: str
    url: str
    command: list[str]
    has_secret: bool
    is_active: bool
    created_at: Timestamp


class ToolServerList(Struct, kw_only=True):
    """All tool servers, by slug."""

    data: list[ToolServerDocument]


class ToolServerInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new tool server: with a `url`, or with a `command`, which needs `programs:write`, too."""

    slug: Slug
    url: Url = ""
    command: Command = []
    secret: Secret = {}
    is_active: bool = True

    def draft(self) -> ToolServerDraft:
        """What the service that registers tool servers takes."""
        return ToolServerDraft(**{name: getattr(self, name) for name in self.__struct_fields__})


class ToolServerChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a tool server that are to change; an empty `secret` takes it away."""

    slug: Slug | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    command: Command | UnsetType = UNSET
    secret: Secret | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class ToolServers(Endpoint):
    """Where tools of others are found."""

    examples: ClassVar[Mapping[str, Any]] = {
        "POST": {"slug": "search", "url": "http://127.0.0.1:8080/mcp"}
    }

    @operation("tool_servers.list", tag="tools", answers={200: ToolServerList})
    def get(self, _request: Request) -> Response:
        """List tool servers by slug; their secrets are not shown."""
        rows = reading.readable(self.principal)
        return Response({"data": [codecs.show(document(one)) for one in rows]})

    @operation(
        "tool_servers.create", tag="tools", body=ToolServerInput, answers={201: ToolServerDocument}
    )
    @once
    def post(self, _request: Request) -> Response:
        """Register a tool server; only an administrator may."""
        draft = self.ordered(ToolServerInput).draft()
        made = tool_servers.create(principal=self.principal, draft=draft)
        return Response(codecs.show(document(made.tool_server)), status=201)


class OneToolServer(Endpoint):
    """One tool server, by its slug."""

    examples: ClassVar[Mapping[str, Any]] = {"PATCH": {"is_active": False}}

    @operation("tool_servers.read", tag="tools", answers={200: ToolServerDocument})
    def get(self, _request: Request, tool_server: str) -> Response:
        """Read a tool server."""
        return Response(codecs.show(document(reading.read(self.principal, tool_server))))

    @operation(
        "tool_servers.change",
        tag="tools",
        body=ToolServerChanges,
        answers={200: ToolServerDocument},
    )
    def patch(self, _request: Request, tool_server: str) -> Response:
        """Change a tool server; another address or command needs its secret again."""
        changes = given(self.ordered(ToolServerChanges))
        changed = tool_servers.update(
            principal=self.principal, tool_server=tool_server, changes=changes
        )
        return Response(codecs.show(document(changed.tool_server)))

    @operation("tool_servers.remove", tag="tools", answers={204: None})
    def delete(self, _request: Request, tool_server: str) -> Response:
        """Forget a tool server and its secret."""
        tool_servers.remove(principal=self.principal, tool_server=tool_server)
        return Response(status=204)


def document(row: ToolServer) -> ToolServerDocument:
    """The document of a tool server, without a word of its secret."""
    return ToolServerDocument(
        slug=row.slug,
        url=row.url,
        command=row.command,
        has_secret=bool(row.secret),
        is_active=row.is_active,
        created_at=row.created_at,
    )
