"""What watches the work: fields that every log line of it has, and spans of OpenTelemetry."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

from structlog import contextvars

NAME = "aegis"


def begin(**fields: str) -> None:
    """Forget what was said of other work in this context, and say this of what begins now."""
    contextvars.clear_contextvars()
    note(**fields)


def note(**fields: str) -> None:
    """Say more of the work that goes on in this context; what is empty is not said."""
    contextvars.bind_contextvars(**{name: value for name, value in fields.items() if value})


@contextmanager
def noting(**fields: str) -> Iterator[None]:
    """Say more of the work inside, and no longer."""
    with contextvars.bound_contextvars(**{name: one for name, one in fields.items() if one}):
        yield


def said() -> dict[str, Any]:
    """What is said of the work of this context."""
    return contextvars.get_contextvars()


@contextmanager
def span(
    name: str,
    *,
    kind: Literal["internal", "client", "server"] = "internal",
    within: Mapping[str, str] | None = None,
    **attributes: str | int,
) -> Iterator["Span"]:
    """
    A span around the work inside, if whoever runs Aegis has OpenTelemetry's SDK.

    It is of the trace that the headers ``within`` name, else of that of the context. Attributes
    are written with two underscores for a dot: ``gen_ai__agent__name``.
    """
    if not is_tracing():
        yield Span(None)
        return
    from opentelemetry import trace  # noqa: PLC0415 -- optional dependency

    context = _of_client(within) if within is not None else None
    with trace.get_tracer(NAME).start_as_current_span(
        name, context=context, kind=trace.SpanKind[kind.upper()], attributes=_dotted(attributes)
    ) as found:
        yield Span(found)


class Span:
    """What is learnt about the work while it goes on."""

    def __init__(self, found: Any) -> None:
        self._found = found

    def add(self, **attributes: str | int) -> None:
        """More attributes."""
        if self._found is not None:
            self._found.set_attributes(_dotted(attributes))

    def name(self, text: str) -> None:
        """Call it so, which was not known when it began."""
        if self._found is not None:
            self._found.update_name(text)


def _dotted(attributes: dict[str, str | int]) -> dict[str, str | int]:
    return {name.replace("__", "."): value for name, value in attributes.items()}


def _of_client(headers: Mapping[str, str]) -> Any:
    from opentelemetry import propagate  # noqa: PLC0415 -- optional dependency

    return propagate.extract({name.lower(): value for name, value in headers.items()})


@cache
def is_tracing() -> bool:
    """Whether the SDK of OpenTelemetry is installed."""
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.sdk") is not None


def start_tracing() -> None:
    """Send spans where OTEL_EXPORTER_OTLP_ENDPOINT says, if there are spans at all."""
    if not is_tracing() or not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return
    from opentelemetry import trace  # noqa: PLC0415 -- optional dependency
    from opentelemetry.exporter.otlp.proto.http import (  # noqa: PLC0415 -- optional dependency
        trace_exporter,
    )
    from opentelemetry.sdk import resources  # noqa: PLC0415 -- optional dependency
    from opentelemetry.sdk import trace as sdk  # noqa: PLC0415 -- optional dependency
    from opentelemetry.sdk.trace import export  # noqa: PLC0415 -- optional dependency

    provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": NAME}))
    exporter = trace_exporter.OTLPSpanExporter()
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
