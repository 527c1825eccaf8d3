"""Records as files: NDJSON with everything that proves them, CSV for tables."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec
from msgspec import Raw

SAMPLE = 1000
"""How many records say which columns a CSV file has, if their data is no more than this:"""
SAMPLE_BYTES = 4 * 1024 * 1024
OWN = ("seq", "ts", "data")
# A spreadsheet would run these as formulas.
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?\Z")


class Row(msgspec.Struct, frozen=True, gc=False):
    """One record with what proves it: ``ck`` is the chain value there, ``data`` its JSON text."""

    epoch: str
    seq: int
    ts: int
    ck: bytes
    data: bytes


class Format(Protocol):
    """A kind of file; rows come in order, each once."""

    content_type: str
    suffix: str

    def begin(self, sample: Sequence[Row]) -> bytes:
        """What stands before all rows; ``sample`` are the first of them."""

    def lines(self, rows: Iterable[Row]) -> bytes:
        """These rows."""


class Ndjson:
    """One object a line: seq, ts, epoch, ck and data as its publisher wrote it."""

    content_type = "application/x-ndjson"
    suffix = "ndjson"

    def begin(self, sample: Sequence[Row]) -> bytes:
        return b""

    def lines(self, rows: Iterable[Row]) -> bytes:
        return b"".join(
            b'{"seq":%d,"ts":%d,"epoch":"%b","ck":"%b","data":%b}\n'
            % (row.seq, row.ts, row.epoch.encode(), row.ck.hex().encode(), row.data)
            for row in rows
        )


class Csv:
    """
    A table: seq, ts, the members of the data, and data.

    The columns are the members of the first 1,000 records in the order in which they come; one
    that is called seq, ts or data is written ``data.seq`` and so on. Numbers keep their digits,
    what is nested is JSON, null is empty. The last column has the JSON text of a record that is
    no object or has other members. A text that a spreadsheet would take for a formula begins with
    an apostrophe.
    """

    content_type = "text/csv"
    suffix = "csv"

    def __init__(self) -> None:
        self._members: tuple[str, ...] = ()

    def begin(self, sample: Sequence[Row]) -> bytes:
        known: dict[str, None] = {}
        for row in sample:
            known.update(dict.fromkeys(_members(row.data) or ()))
        self._members = tuple(known)
        names = [f"data.{name}" if name in OWN else name for name in known]
        return _write([["seq", "ts", *map(safe, names), "data"]])

    def lines(self, rows: Iterable[Row]) -> bytes:
        return _write(self._line(row) for row in rows)

    def _line(self, row: Row) -> list[str]:
        found = _members(row.data)
        whole = found is None or not found.keys() <= set(self._members)
        cells = [_cell(found[name]) if found and name in found else "" for name in self._members]
        return [str(row.seq), str(row.ts), *cells, row.data.decode() if whole else ""]


FORMATS: dict[str, Callable[[], Format]] = {"ndjson": Ndjson, "csv": Csv}


def _members(data: bytes) -> dict[str, Raw] | None:
    if not data.lstrip().startswith(b"{"):
        return None
    return msgspec.json.decode(data, type=dict[str, Raw])


def _cell(raw: Raw) -> str:
    text = bytes(raw).decode()
    if text.startswith('"'):
        return safe(msgspec.json.decode(text, type=str))
    return "" if text == "null" else text


def safe(text: str) -> str:
    """A cell that no spreadsheet runs: what it would take for a formula begins with an apostrophe."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.match(text) else text


def _write(rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()
