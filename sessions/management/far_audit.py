"""`aegis audit` against a server that was named, and its tables."""

import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import typer

from sessions.management import audit_filters, far, output
from sessions.management.client import PIECE_BYTES, Client
from sessions.management.far import Columns, Document
from sessions.management.output import How
from sessions.management.verbs import Exit
from streaming.selectors import audit_proof

# What is written only now may have begun so long ago, by the clock there.
OVERLAP = timedelta(minutes=1)
LOOK_SECONDS = 1.0
# As many entries are looked at in one look, and proven in one answer.
MOST, AT_ONCE = 10_000, 20_000

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
    rows, has_more = server.several("audit", limit=limit, **_asked(filters))
    tell(how, verb, rows, limit=limit, has_more=has_more)


def _asked(filters: dict[str, str]) -> dict[str, Any]:
    asked: dict[str, Any] = asdict(audit_filters.wanted(**filters))
    for name in ("since", "until"):
        asked[name] = asked[name].isoformat() if asked[name] else ""
    return asked


def tail(server: Client, *, last: int, follow: bool, is_json: bool, **filters: str) -> None:
    """Print the newest entries there, and follow them."""
    for row in followed(server, _asked(filters), last=last, follows=follow):
        tell_next(row, is_json=is_json)


def followed(
    server: Client, asked: dict[str, Any], *, last: int, follows: bool
) -> Iterator[Document]:
    """The last of these entries, then each that is written, also where that took its time."""
    # The clock there counts, of which the newest entry of all tells.
    latest = _latest(server)
    told = {row["id"] for row in _since(server, asked, latest)} if follows else set()
    newest = server.several("audit", limit=last, **asked)[0] if last else []
    yield from reversed(newest)
    told |= {row["id"] for row in newest}
    while follows:
        found = _since(server, asked, latest)
        yield from reversed([row for row in found if row["id"] not in told])
        told = {row["id"] for row in found}
        latest = max([latest, *(far.at(row["at"]) for row in found)])
        _pause(LOOK_SECONDS)


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def _latest(server: Client) -> datetime:
    rows, _ = server.several("audit", limit=1)
    return far.at(rows[0]["at"]) if rows else datetime.fromtimestamp(0, UTC)


def _since(server: Client, asked: dict[str, Any], latest: datetime) -> list[Document]:
    since = (latest - OVERLAP).isoformat()
    return server.several("audit", limit=MOST, **{**asked, "since": since})[0]


def export(server: Client, *, form: str, **filters: str) -> None:
    """Write the entries there to standard output as they come."""
    said = {name: value for name, value in _asked(filters).items() if value}
    with server.asked("GET", ["audit", "export"], query={**said, "format": form}) as response:
        while piece := response.read(PIECE_BYTES):
            sys.stdout.buffer.write(piece)
    sys.stdout.flush()


def verify(server: Client, *, after: int, kept: str, is_json: bool, is_quiet: bool) -> None:
    """Walk along the chain there, in as many answers as it takes."""
    anchor = audit_filters.anchor(kept)
    known = {"kept_place": anchor.place, "kept_digest": anchor.digest} if anchor else {}
    checked, place = 0, after
    while True:
        found = server.get("audit", "verify", after=place, limit=AT_ONCE, **known)
        checked, place = checked + found["checked"], found["place"]
        if not found["has_more"]:
            break
    if found["fault"] is None:
        found |= {"sentence": audit_proof.walked(checked)}
    tell_verdict(How(is_json, is_quiet), {**found, "checked": checked})


def tell_verdict(how: How, found: Document) -> None:
    """
    What a walk along the chain came to.

    :raises Exit: if something is wrong in it
    """
    end = f"{found['place']}:{found['digest']}"
    output.show_one(
        how, "audit.verify", found, identity=end, sentence=f"{found['sentence']}\n{end}"
    )
    if found["unsealed"]:
        output.say(
            f"{found['unsealed']} are not in the chain yet; a running server puts them there."
        )
    if found["fault"] is not None:
        raise typer.Exit(Exit.CHECK_FAILED)


def tell_next(row: Document, *, is_json: bool) -> None:
    """An entry on a line of its own, at once."""
    if is_json:
        output.line(row)
    else:
        cells = (cell(row) for cell in ENTRIES.values())
        output.plain("  ".join(one for one in cells if one))


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
