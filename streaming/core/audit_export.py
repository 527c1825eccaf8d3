"""Entries of the audit as files: NDJSON with what proves them, CSV for tables."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from streaming.core.export import safe

# The members of an entry in the order in which they are written.
COLUMNS = (
    "id",
    "at",
    "command",
    "outcome",
    "code",
    "actor",
    "principal_id",
    "transport",
    "request_id",
    "session",
    "session_key",
    "target",
    "detail",
    "place",
    "previous",
    "digest",
)
# What came from outside, which a spreadsheet must not run.
TEXTS = frozenset(COLUMNS) - {"id", "at", "outcome", "place", "previous", "digest"}

Entry = Mapping[str, Any]


class Format(Protocol):
    """A kind of file; entries come in order, each once."""

    content_type: str
    suffix: str

    def begin(self) -> bytes:
        """What stands before all entries."""

    def lines(self, entries: Iterable[Entry]) -> bytes:
        """These entries, which are documents of JSON."""


class Ndjson:
    """One object a line."""

    content_type = "application/x-ndjson"
    suffix = "ndjson"

    def begin(self) -> bytes:
        return b""

    def lines(self, entries: Iterable[Entry]) -> bytes:
        return b"".join(_json(entry).encode() + b"\n" for entry in entries)


class Csv:
    """A table; the detail is JSON, what is not there is empty."""

    content_type = "text/csv"
    suffix = "csv"

    def begin(self) -> bytes:
        return _write([COLUMNS])

    def lines(self, entries: Iterable[Entry]) -> bytes:
        return _write([_cell(name, entry[name]) for name in COLUMNS] for entry in entries)


FORMATS: dict[str, Callable[[], Format]] = {"ndjson": Ndjson, "csv": Csv}


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else _json(value)
    return safe(text) if name in TEXTS else text


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _write(rows: Iterable[Iterable[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()
