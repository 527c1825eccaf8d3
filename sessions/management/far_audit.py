"""`aegis audit` against a server that was named, and its tables."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sessions.management import audit_filters, far, output
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.output import How

ENTRIES: Columns = {
    "ENTRY": lambda row: str(row["id"]),
    "AT": lambda row: output.clock(far.at(row["at"])),
    "COMMAND": lambda row: row["command"],
    "OUTCOME": lambda row: row["code"] or row["outcome"],
    "ACTOR": lambda row: row["actor"],
    "BY": lambda row: row["transport"],
    "TARGET": lambda row: row["target"],
}


def several(server: Client, *, limit: int, is_json: bool, is_quiet: bool, **filters: str) -> None:
    """The entries there that a credential may read."""
    _newest(server, "list", limit, How(is_json, is_quiet), filters)


def search(server: Client, *, limit: int, is_json: bool, is_quiet: bool, **filters: str) -> None:
    """Those of them in which something stands."""
    _newest(server, "search", limit, How(is_json, is_quiet), filters)


def _newest(server: Client, verb: str, limit: int, how: How, filters: dict[str, str]) -> None:
    asked: dict[str, Any] = asdict(audit_filters.wanted(**filters))
    for name in ("since", "until"):
        asked[name] = asked[name].isoformat() if asked[name] else ""
    rows, has_more = server.several("audit", limit=limit, **asked)
    tell(how, verb, rows, limit=limit, has_more=has_more)


def show(server: Client, *, entry: str, is_json: bool, is_quiet: bool) -> None:
    """One entry there."""
    tell_one(How(is_json, is_quiet), server.get("audit", entry))


def tell(how: How, verb: str, rows: Sequence[Document], *, limit: int, has_more: bool) -> None:
    """Many entries, and whether there are more."""
    if has_more:
        output.say(f"There are more than {limit}; see --limit.")
    far.several(how, f"audit.{verb}", ENTRIES, rows, has_more=has_more)


def tell_one(how: How, row: Document) -> None:
    """One entry with all that it holds."""
    lines = "\n".join(f"{name:13} {_text(value)}" for name, value in row.items())
    output.show_one(how, "audit.show", row, identity=str(row["id"]), sentence=lines)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else output.dump(value)
