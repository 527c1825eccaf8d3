"""A tracer that keeps what it is told, in the place of OpenTelemetry's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace

from aegis_project import instruments


def recorded(monkeypatch: pytest.MonkeyPatch) -> "Recorder":
    """What is told from now on, as if the SDK were installed."""
    found = Recorder()
    monkeypatch.setattr(instruments, "is_tracing", lambda: True)
    monkeypatch.setattr(trace, "get_tracer", lambda name: found)
    return found


class Recorder:
    """By the interface of OpenTelemetry: a span is a name with attributes."""

    def __init__(self) -> None:
        self.made: list[_Span] = []

    @contextmanager
    def start_as_current_span(
        self, name: str, *, context: Any, kind: trace.SpanKind, attributes: dict[str, Any]
    ) -> Iterator[Any]:
        made = _Span(name, kind, dict(attributes), trace.get_current_span(context))
        self.made.append(made)
        with trace.use_span(trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)):
            yield made

    @property
    def spans(self) -> list[tuple[str, dict[str, Any]]]:
        return [(one.called, one.attributes) for one in self.made]


class _Span:
    def __init__(
        self, called: str, kind: trace.SpanKind, attributes: dict[str, Any], parent: Any
    ) -> None:
        self.called, self.kind, self.attributes = called, kind, attributes
        self.set_attributes = attributes.update
        self.trace_id = f"{parent.get_span_context().trace_id:032x}"

    def update_name(self, text: str) -> None:
        self.called = text
