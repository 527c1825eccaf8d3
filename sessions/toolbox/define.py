"""Making a tool of a typed function."""

import asyncio
import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic

from sessions.agent.tools import Call, Tool, ToolSpec
from sessions.core.errors import InvalidToolArgs
from sessions.core.tool_calls import Risk
from sessions.core.tools import TIMEOUT_SECONDS

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Definition:
    """
    A function with what is known of it as a tool.

    ``context`` is the type of its first parameter where that is no argument of the tool.
    """

    spec: ToolSpec
    function: Function
    arguments: type[pydantic.BaseModel]
    context: type | None

    async def invoke(self, context: Any, arguments: dict[str, Any]) -> Any:
        """
        Call the function; one that is not async runs in a thread.

        :raises InvalidToolArgs: for arguments that are not of its types
        """
        given = self._given(arguments)
        before = [] if self.context is None else [context]
        if inspect.iscoroutinefunction(self.function):
            return await self.function(*before, **given)
        return await asyncio.to_thread(self.function, *before, **given)

    def tool(self) -> Tool:
        """The tool that it is, called with nothing but the call."""
        return Tool(self.spec, lambda call: self.invoke(call, call.arguments))

    def _given(self, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            found = self.arguments.model_validate(arguments)
        except pydantic.ValidationError as error:
            told = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, told["loc"]))
            raise InvalidToolArgs(f"{self.spec.name}: {place}: {told['msg']}.") from None
        return {name: getattr(found, name) for name in type(found).model_fields}


def tool(
    *,
    risk: Risk | str = Risk.HIGH,
    name: str = "",
    description: str = "",
    version: str = "1",
    timeout_seconds: float = TIMEOUT_SECONDS,
    is_idempotent: bool = False,
    always_ask: bool = False,
    evidence: Sequence[str] = (),
    source: str = "python",
) -> Callable[[Function], Definition]:
    """
    Make a tool of a function: its parameters are the arguments, its docstring the description.

    Every parameter has a type that pydantic knows; ``Annotated[int, Field(ge=1)]`` says more. One
    named ``call`` that comes first gets the :class:`sessions.agent.tools.Call`. What it returns is
    JSON; an ``AegisError`` that it raises is told to the model, any other error is logged.
    ``risk`` and ``is_idempotent`` are promises: a tool that is called idempotent is carried out
    again after a crash, with the same ``call.effect_key``.

    :raises TypeError: for a parameter without a type, or one that no JSON has
    """

    def define(function: Function) -> Definition:
        context, model = _arguments(function)
        spec = ToolSpec(
            name=name or function.__name__,
            description=description or _description(function),
            parameters=_schema(model),
            risk=Risk(risk),
            version=version,
            timeout_seconds=timeout_seconds,
            is_idempotent=is_idempotent,
            always_ask=always_ask,
            source=source,
            evidence=tuple(evidence),
        )
        return Definition(spec, function, model, context)

    return define


def _arguments(function: Function) -> tuple[type | None, type[pydantic.BaseModel]]:
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())
    context = _context(parameters, hints)
    fields: dict[str, Any] = {}
    for one in parameters[1 if context else 0 :]:
        if one.kind in {one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY}:
            raise TypeError(f"{function.__name__}: {one} cannot be an argument of a tool.")
        if one.name not in hints:
            raise TypeError(f"{function.__name__}: {one.name} has no type.")
        fields[one.name] = (hints[one.name], ... if one.default is one.empty else one.default)
    config = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    return context, pydantic.create_model(function.__name__, __config__=config, **fields)


def _context(parameters: Sequence[inspect.Parameter], hints: dict[str, Any]) -> type | None:
    if not parameters or parameters[0].name not in {"call", "ground"}:
        return None
    return typing.cast(type, hints.get(parameters[0].name, Call))


def _schema(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    found = _untitled(model.model_json_schema())
    assert isinstance(found, dict)  # noqa: S101 -- the schema of a model is an object's
    return found


def _untitled(schema: Any, *, is_names: bool = False) -> Any:
    """The schema without the titles that pydantic makes of names; they cost tokens."""
    if isinstance(schema, list):
        return [_untitled(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _untitled(value, is_names=name in {"properties", "$defs"} and not is_names)
        for name, value in schema.items()
        if is_names or name != "title"
    }


def _description(function: Function) -> str:
    text = inspect.getdoc(function) or ""
    if not text:
        raise TypeError(f"{function.__name__} has no docstring to tell a model what it does.")
    return text
