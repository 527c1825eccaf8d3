"""Tools of servers of the Model Context Protocol (the extra ``mcp``), as ``mcp.SLUG.NAME``."""

import asyncio
import importlib.util
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from aegis_project import outward, sealed
from aegis_project.kit.errors import SecretUnreadable
from sessions.agent.tools import Call, Tool, ToolSpec
from sessions.core.errors import ToolExecutionFailed
from sessions.core.tool_calls import Risk
from sessions.core.tools import TIMEOUT_SECONDS
from sessions.models import ToolServer
from streaming.core import schemas
from streaming.core.schemas import SchemaRefused

logger = logging.getLogger(__name__)

PREFIX = "mcp."
MOST = 200
# A server that says no more by then has no tools, and keeps the others waiting no longer.
LIST_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Server:
    """How one server is reached; ``secret`` are headers, or the environment of its command."""

    slug: str
    url: str
    command: tuple[str, ...]
    secret: dict[str, str]


# What the servers said last; written by the job that asks them, read by whoever makes a toolbox.
_known: dict[str, tuple[Tool, ...]] = {}


def tools() -> Iterator[Tool]:
    """The tools of every server that answered when it was asked last."""
    for found in tuple(_known.values()):
        yield from found


def is_installed() -> bool:
    """Whether the extra is there."""
    return importlib.util.find_spec("mcp") is not None


def active() -> list[Server]:
    """The servers that are to be used, but those whose secret cannot be read."""
    rows = ToolServer.objects.filter(is_active=True).order_by("slug")
    return [found for row in rows if (found := _reached(row)) is not None]


def _reached(row: ToolServer) -> Server | None:
    try:
        secret = orjson.loads(sealed.unseal(row.secret)) if row.secret else {}
    except SecretUnreadable:
        logger.exception("A tool server is left out", extra={"tool_server": row.slug})
        return None
    return Server(row.slug, row.url, tuple(row.command), secret)


async def asked(row: ToolServer) -> list[ToolSpec]:
    """
    What a server says of its tools now; nobody gets them by that.

    :raises ToolExecutionFailed: if it cannot be asked, with what it is that hinders
    """
    server = _reached(row)
    if server is None or not is_installed():
        raise ToolExecutionFailed("Its secret cannot be read, or the extra mcp is not installed.")
    try:
        async with asyncio.timeout(LIST_SECONDS):
            return [tool.spec async for tool in _listed(server)]
    except Exception as error:
        logger.warning("A tool server cannot be asked", extra={"tool_server": server.slug})
        raise ToolExecutionFailed(f"It cannot be asked ({type(error).__name__}).") from error


def last_known(slug: str) -> list[ToolSpec]:
    """The tools that a server had when this process asked it last."""
    return [tool.spec for tool in _known.get(slug, ())]


async def refresh(servers: list[Server]) -> None:
    """Ask the servers which tools they have; one that does not answer has none."""
    for gone in _known.keys() - {one.slug for one in servers}:
        del _known[gone]
    for server in servers:
        try:
            async with asyncio.timeout(LIST_SECONDS):
                _known[server.slug] = tuple([tool async for tool in _listed(server)])
        except Exception:  # one server must not take the tools of the others away
            _known.pop(server.slug, None)
            logger.exception("A tool server cannot be asked", extra={"tool_server": server.slug})


async def _listed(server: Server) -> AsyncIterator[Tool]:
    async with connected(server) as client:
        for said in (await client.list_tools()).tools[:MOST]:
            spec = _spec(server, said)
            if spec is not None:
                yield Tool(spec, _executing(server, said.name))


def _spec(server: Server, said: Any) -> ToolSpec | None:
    schema = {name: one for name, one in said.input_schema.items() if name != "$schema"}
    try:
        schemas.compiled(schema)
    except SchemaRefused as refused:
        logger.warning("A tool has an unusable schema", extra={"reason": str(refused)})
        return None
    hints = said.annotations
    is_destructive = hints is None or not (hints.read_only_hint or hints.destructive_hint is False)
    return ToolSpec(
        name=f"{PREFIX}{server.slug}.{said.name}"[:200],
        description=said.description or "",
        parameters=schema,
        # What a server says of itself makes its tools more dangerous, never less than medium.
        risk=Risk.HIGH if is_destructive else Risk.MEDIUM,
        source="mcp",
    )


def _executing(server: Server, name: str) -> Any:
    async def execute(call: Call) -> Any:
        async with connected(server) as client:
            found = await client.call_tool(
                name, call.arguments, read_timeout_seconds=TIMEOUT_SECONDS
            )
        texts = [part.text for part in found.content if part.type == "text"]
        if found.is_error:
            raise ToolExecutionFailed("\n".join(texts)[:2000], tool_server=server.slug)
        if found.structured_content is not None:
            return found.structured_content
        return [part.model_dump(mode="json", exclude_none=True) for part in found.content]

    return execute


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Any]:
    """
    A connection for one purpose: servers keep nothing between two calls for us.

    :raises AddressRefused: to an address that may not be reached from here
    """
    bounds = outward.allowed(hosts=("*",))
    if server.url:
        await outward.check(server.url, bounds=bounds)
    import mcp  # noqa: PLC0415 -- optional dependency
    from mcp.client import stdio, streamable_http  # noqa: PLC0415 -- optional dependency

    async with AsyncExitStack() as stack:
        target: Any
        if server.command:
            program, *arguments = server.command
            target = stdio.StdioServerParameters(
                command=program, args=arguments, env=server.secret or None
            )
        else:
            http = httpx2.AsyncClient(
                headers=server.secret,
                timeout=TIMEOUT_SECONDS,
                transport=outward.Guarded(bounds),
                trust_env=False,
            )
            await stack.enter_async_context(http)
            target = streamable_http.streamable_http_client(server.url, http_client=http)
        yield await stack.enter_async_context(mcp.Client(target))
