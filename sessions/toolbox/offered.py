"""Tools that components offer: a component of the role tool says at its register which it has."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q

from aegis_project.database import read_db, run_db
from components.core.frames import MAX_BYTES
from components.core.lifecycle import Role, State
from components.models import Component, ToolUse
from components.services import tool_uses
from sessions.agent.tools import Call, Tool, ToolSpec
from sessions.core import tools
from sessions.core.checkpoints import Effects
from sessions.core.errors import InvalidToolArgs, ToolExecutionFailed, ToolTimeout
from sessions.core.tool_calls import Risk
from sessions.core.tools import TIMEOUT_SECONDS
from streaming import hints
from streaming.core import schemas
from streaming.core.schemas import SchemaRefused
from streaming.hints import Hint

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
MOST = 100
LONGEST_SECONDS = 300.0
# Hints may be lost, so whoever waits also looks by the clock.
LOOK_SECONDS = 0.5
# The other members of the frame and what JSON adds.
ROOM = 4096


def of(session_id: UUID) -> Iterator[Tool]:
    """
    The tools of a session's components that are there now, as ``component.NAME.TOOL``.

    In a fork in which nobody carries anything out, those of absent ones as well.
    """
    here = Q(state__in=[State.READY.value, State.RUNNING.value])
    told = Q(session__fork__effects__in=[Effects.RECORDED.value, Effects.STUB.value])
    rows = Component.objects.of_session(session_id).filter(role=Role.TOOL.value)
    for row in rows.filter(here | told):
        offers = row.capabilities.get("tools")
        for offer in offers[:MOST] if isinstance(offers, list) else ():
            spec = read(row.name, row.version, offer)
            if spec is not None:
                yield Tool(spec, _executing(row.pk, offer["name"], spec.timeout_seconds))


def read(component: str, version: str, offer: Any) -> ToolSpec | None:
    """What an offer says of its tool; None for one that cannot be called."""
    try:
        said = msgspec.convert(offer, _Offer)
        schemas.compiled(said.parameters)
    except (msgspec.ValidationError, SchemaRefused):
        return None
    if not NAME.match(said.name):
        return None
    return ToolSpec(
        name=tools.of_component(component, said.name),
        description=said.description,
        parameters=said.parameters,
        risk=said.risk,
        version=(said.version or version or "1")[:64],
        timeout_seconds=min(max(said.timeout_seconds, 0.1), LONGEST_SECONDS),
        is_idempotent=said.is_idempotent,
        always_ask=said.always_ask,
        source="component",
        evidence=tuple(said.evidence),
    )


class _Offer(msgspec.Struct, kw_only=True):
    name: str
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object"})
    risk: Risk = Risk.HIGH
    version: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS
    is_idempotent: bool = False
    always_ask: bool = False
    evidence: list[str] = []


def _executing(component_id: UUID, tool: str, seconds: float) -> Any:
    async def execute(call: Call) -> Any:
        if len(msgspec.json.encode(call.arguments)) > MAX_BYTES - ROOM:
            raise InvalidToolArgs("The arguments are too long for a frame.", tool=tool)
        use = await run_db(
            tool_uses.ask,
            component_id=component_id,
            tool=tool,
            arguments=call.arguments,
            effect_key=call.effect_key,
            seconds=seconds,
        )
        try:
            # A little before whoever carries the call out gives up.
            return _outcome(await _answered(use.pk, seconds=seconds * 0.95))
        except TimeoutError:
            is_unsent = await run_db(tool_uses.withdraw, use.pk)
            what = "was not there to be asked" if is_unsent else "did not answer"
            raise ToolTimeout(f"The component {what}.", seconds=seconds) from None

    return execute


async def _answered(use_id: UUID, *, seconds: float) -> ToolUse:
    moved, loop = asyncio.Event(), asyncio.get_running_loop()

    def hear(hint: Hint) -> None:
        if hint.kind == "moved" or hint.id == str(use_id):
            loop.call_soon_threadsafe(moved.set)

    hints.listen(hear)
    try:
        async with asyncio.timeout(seconds):
            while True:
                moved.clear()
                found = await read_db(ToolUse.objects.get, pk=use_id)
                if found.answered_at is not None:
                    return found
                await _stirred(moved)
    finally:
        hints.unlisten(hear)


async def _stirred(moved: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await moved.wait()
    except TimeoutError:
        return


def _outcome(use: ToolUse) -> Any:
    if use.error is None:
        return use.result
    error: Mapping[str, str] = use.error
    raise ToolExecutionFailed(error.get("message", ""), component_code=error.get("code", ""))
