"""Tools that a component offers: said at its register, carried out when it is called."""

import asyncio
import inspect
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from components.core import frames
from components.core.errors import ConnectionLost

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

KEPT = 1000
"""So many effects are remembered, so that one that is asked for again is not done again."""
MOST_BYTES = frames.MAX_BYTES - 2048
AGAIN_SECONDS = 0.2


class Speaker(Protocol):
    """What answers go out on."""

    @property
    def is_over(self) -> bool:
        """Whether nothing can be said any more."""

    async def say(self, frame: frames.Frame) -> None:
        """
        Send on the control socket.

        :raises ConnectionLost: when there is none
        """


class Tools:
    """The tools of one component, by name."""

    def __init__(self) -> None:
        self._functions: dict[str, Callable[..., Any]] = {}
        self._offers: dict[str, dict[str, Any]] = {}
        self._done: OrderedDict[str, asyncio.Task[dict[str, Any]]] = OrderedDict()
        self._answers: set[asyncio.Task[None]] = set()

    def add(self, function: Callable[..., Any], offer: dict[str, Any]) -> None:
        """Offer a function as a tool."""
        self._functions[offer["name"]] = function
        self._offers[offer["name"]] = offer

    def offers(self) -> list[dict[str, Any]]:
        """What is said of them at the register."""
        return list(self._offers.values())

    def take(self, frame: Mapping[str, Any], speaker: Speaker) -> None:
        """Carry out a CALL, beside everything else."""
        task = asyncio.create_task(self._answer(frame, speaker))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, frame: Mapping[str, Any], speaker: Speaker) -> None:
        told = await asyncio.shield(self._effect(frame))
        answer = {"COMMAND": "RESULT", "id": frame["id"], **told}
        while not speaker.is_over:
            try:
                await speaker.say(answer)
            except ConnectionLost:
                # What was done is told on the next connection.
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    def _effect(self, frame: Mapping[str, Any]) -> "asyncio.Task[dict[str, Any]]":
        key = frame.get("effect_key") or frame["id"]
        task = self._done.get(key)
        if task is None:
            task = self._done[key] = asyncio.create_task(self._outcome(frame))
            while len(self._done) > KEPT:
                self._done.popitem(last=False)
        return task

    async def _outcome(self, frame: Mapping[str, Any]) -> dict[str, Any]:
        try:
            result = await self._call(frame["tool"], frame.get("arguments") or {})
            if len(msgspec.json.encode(result)) > MOST_BYTES:
                raise ValueError(f"The result has more than {MOST_BYTES} bytes.")
        except Exception as error:  # whatever it was, whoever asked is told
            logger.exception("A tool failed", extra={"action": "tool_failed"})
            return {"error": {"code": type(error).__name__, "message": str(error)}}
        return {"result": result}

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        function = self._functions.get(name)
        if function is None:
            raise LookupError(f"There is no tool {name}.")
        if inspect.iscoroutinefunction(function):
            return await function(**arguments)
        return await asyncio.to_thread(function, **arguments)


class Offering:
    """The half of a component that offers tools."""

    _tools: Tools

    def tool(
        self,
        *,
        risk: str = "high",
        name: str = "",
        description: str = "",
        parameters: Mapping[str, Any] | None = None,
        timeout_seconds: float = 30.0,
        is_idempotent: bool = False,
        always_ask: bool = False,
        evidence: Sequence[str] = (),
    ) -> Callable[[F], F]:
        """
        Offer a function as a tool that agents of the session may use, ``component.NAME.TOOL``.

        Its docstring is the description. ``parameters`` is the JSON Schema of its arguments; it is
        made of the types ``str int float bool list dict`` where it is left out. Offer tools before
        the component starts. One that is asked for again with the same effect key, by the same
        process, is answered with what came of it the first time.

        :raises TypeError: for a parameter whose type says too little to make a schema of
        """

        def offer(function: F) -> F:
            said = {
                "name": name or function.__name__,
                "description": description or inspect.getdoc(function) or "",
                "parameters": dict(parameters) if parameters else schema(function),
                "risk": risk,
                "timeout_seconds": timeout_seconds,
                "is_idempotent": is_idempotent,
                "always_ask": always_ask,
                "evidence": list(evidence),
            }
            self._tools.add(function, said)
            return function

        return offer


TYPES = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}


def schema(function: Callable[..., Any]) -> dict[str, Any]:
    """
    The JSON Schema of a function's arguments.

    :raises TypeError: for a parameter that has none of the plain types
    """
    members, required = {}, []
    for one in inspect.signature(function, eval_str=True).parameters.values():
        kind = TYPES.get(getattr(one.annotation, "__origin__", one.annotation))
        if kind is None:
            raise TypeError(f"{one.name} has no plain type; give parameters= instead.")
        members[one.name] = {"type": kind}
        if one.default is one.empty:
            required.append(one.name)
    return {
        "type": "object",
        "properties": members,
        "required": required,
        "additionalProperties": False,
    }
