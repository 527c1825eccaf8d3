"""One call of an operation: checked, carried out, rendered; the same for both bindings."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import orjson
from a2a.extensions.common import get_requested_extensions
from a2a.server.context import ServerCallContext
from a2a.types import a2a_pb2 as types
from a2a.utils import errors
from google.protobuf.message import Message

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.dialects import a2a_cards
from sessions.dialects.a2a import tasks, wire
from sessions.dialects.a2a.wire import Operation
from sessions.models import Agent
from sessions.selectors import runs
from streaming import node
from streaming.api import sse

OPERATIONS = tasks.Tasks()
ENVELOPED = frozenset({"SendMessage"})
EXTENSIONS_HEADER = "A2A-Extensions"

Render = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of an agent, by whom."""

    name: str
    operation: Operation
    params: Message
    context: ServerCallContext

    @property
    def is_stream(self) -> bool:
        """Whether it is answered by events."""
        return self.operation.is_stream

    @property
    def is_new(self) -> bool:
        """Whether a message begins its stream."""
        return isinstance(self.params, types.SendMessageRequest)

    @property
    def headers(self) -> dict[str, str]:
        """Which of the extensions that were asked for are spoken."""
        spoken = sorted(self.context.requested_extensions)
        return {EXTENSIONS_HEADER: ", ".join(spoken)} if spoken else {}

    def begin(self) -> str:
        """Let the task of a message in; its id."""
        assert isinstance(self.params, types.SendMessageRequest)  # noqa: S101 -- is_new
        return str(tasks.begin(self.params, self.context).pk)

    def follow(self, run: str) -> None:
        """Let the stream be that of a task that is there."""
        self.context.state["begun"] = runs.find(self.context.state["principal"], run)

    def result(self) -> Any:
        """The answer as JSON, in the caller's thread; None where there is none."""
        found = finished(getattr(OPERATIONS, self.operation.method)(self.params, self.context))
        if found is None:
            return None
        return wire.shown(wire.response(found) if self.name in ENVELOPED else found)

    def feed(self, shown: Render, broken: Render) -> AsyncGenerator[bytes, None]:
        """
        The events of a stream as they are sent.

        The first of them is awaited here, in the caller's thread: what is refused is no stream.
        """
        if isinstance(self.params, types.SubscribeToTaskRequest):
            tasks.followed(self.params, self.context)
        events = getattr(OPERATIONS, self.operation.method)(self.params, self.context)
        first = node.required().call(_next(events))
        return _feed(events, first, shown, broken)


def prepare(
    name: str,
    params: Any,
    *,
    principal: Principal,
    agent: Agent,
    base: str,
    version: str,
    extensions: str,
) -> Call:
    """
    A call, if the client speaks this version and every extension that the agent requires.

    :raises VersionNotSupportedError: for another version
    :raises ExtensionSupportRequiredError: without an extension
    :raises MethodNotFoundError: for an operation that is none
    :raises InvalidParamsError: for parameters that cannot be
    """
    wire.check_version(version)
    asked = get_requested_extensions([extensions])
    missing = a2a_cards.required(agent) - asked
    if missing:
        raise errors.ExtensionSupportRequiredError(f"The agent requires {', '.join(missing)}.")
    operation = wire.OPERATIONS.get(name)
    if operation is None:
        raise errors.MethodNotFoundError
    spoken = asked & {one["uri"] for one in a2a_cards.extensions(agent)}
    context = ServerCallContext(
        state={"principal": principal, "agent": agent, "base": base}, requested_extensions=spoken
    )
    return Call(name, operation, wire.read(params, operation.kind), context)


def id_of(body: Any) -> Any:
    """The id of a JSON-RPC request, as far as it has one that can be repeated."""
    found = body.get("id") if isinstance(body, dict) else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def asked(body: Any) -> tuple[str, Any]:
    """
    The method and the parameters of a JSON-RPC request.

    :raises InvalidRequestError: for what is none; several at once are none
    """
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0":
        raise errors.InvalidRequestError('A request is one object with "jsonrpc": "2.0".')
    name, given = body.get("method"), body.get("id")
    is_named = given is None or id_of(body) is not None
    if not isinstance(name, str) or not name or not is_named:
        raise errors.InvalidRequestError(
            "A request has a method, and an id that is a text or number."
        )
    return name, body.get("params", {})


def unreadable(raw: bytes, error: ValidationFailed) -> Exception:
    """The error of a body that cannot be taken: it is no JSON, or none that can be kept."""
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        return errors.JSONParseError(error.message)
    return error


def finished(work: Coroutine[Any, Any, Any]) -> Any:
    """
    What a coroutine gives that awaits nothing, in the caller's thread.

    The SDK's interface is async; what answers once is services, which are not.
    """
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("An operation that answers once waited.")


async def _next(events: AsyncGenerator[Message, None]) -> Message | None:
    return await anext(events, None)


async def _feed(
    events: AsyncGenerator[Message, None], found: Message | None, shown: Render, broken: Render
) -> AsyncGenerator[bytes, None]:
    coming: asyncio.Task[Message | None] | None = None
    try:
        while found is not None:
            yield sse.shown(name="message", data=shown(wire.shown(wire.response(found))))
            coming = asyncio.create_task(_next(events))
            while not (await asyncio.wait({coming}, timeout=sse.CHECK_SECONDS))[0]:
                yield b""
            found = coming.result()
    except Exception as error:  # noqa: BLE001 -- the client is told, and what is new is logged
        yield sse.shown(name="error", data=broken(error))
    finally:
        if coming is not None and not coming.done():
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await events.aclose()
