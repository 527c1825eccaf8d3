"""`aegis statistics`: numbers of sessions, in one table at a time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import typer
from django.utils import timezone

from sessions.api import statistics_documents as documents
from sessions.management import far, instants, output, verbs
from sessions.management.client import Client
from sessions.management.output import How
from sessions.management.verbs import As, Json, Quiet, elsewhere, verb
from sessions.selectors import sessions
from sessions.selectors import statistics as reading
from sessions.selectors.statistics import Wanted

Range = Annotated[
    str, typer.Option("--range", metavar="7d", help="Of the last hours (h), days (d), weeks (w).")
]
By = Literal["all", "day", "agent", "session", "kind", "state", "tool", "topic"]
Table = Mapping[str, Sequence[str]]


def _far(
    server: Client,
    *,
    span: str,
    by: By,
    is_own: bool,
    is_fresh: bool,
    is_json: bool,
    is_quiet: bool,
    **narrowing: str,
) -> None:
    since = timezone.now() - instants.length(span, option="--range")
    asked = {name: value for name, value in narrowing.items() if value}
    switches = {name: "true" for name, is_on in (("own", is_own), ("fresh", is_fresh)) if is_on}
    found = server.get("statistics", since=since.isoformat(), **asked, **switches)
    _show(found, by, How(is_json, is_quiet))


@verb
@elsewhere(_far)
def statistics(
    *,
    span: Range = "7d",
    by: Annotated[By, typer.Option(help="Which table.")] = "all",
    zone: Annotated[str, typer.Option(help="The time zone of the days.")] = "UTC",
    team: Annotated[str, typer.Option(help="Only of this team.")] = "",
    session: Annotated[str, typer.Option(help="Only of this session.")] = "",
    agent: Annotated[str, typer.Option(help="Only what this agent did.")] = "",
    is_own: Annotated[bool, typer.Option("--own", help="Only sessions that one owns.")] = False,
    is_fresh: Annotated[bool, typer.Option("--fresh", help="Count anew.")] = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Count sessions, messages, runs, tool calls, approvals and topics.

    Examples: aegis statistics --range 24h; aegis statistics --by day --zone Europe/Paris --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session) if session else None
    wanted = Wanted(
        length=instants.length(span, option="--range"),
        zone=zone,
        team=team,
        session=str(row.pk) if row else "",
        agent=agent,
        is_own=is_own,
    )
    found = documents.shown(reading.read(principal, wanted, is_fresh=is_fresh))
    _show(found, by, How(is_json, is_quiet))


stats = statistics


def _show(found: dict[str, Any], by: By, how: How) -> None:
    if how.is_json:
        output.document("statistics", found)
        return
    table = TABLES[by](found)
    if how.is_quiet:
        for one in next(iter(table.values()), []):
            output.plain(one)
        return
    since, until, at = (_moment(found[name]) for name in ("since", "until", "calculated_at"))
    output.say(f"From {since} until {until}, counted {at}")
    output.tabulate(table)


def _moment(at: str | datetime) -> str:
    return output.moment(far.at(at))


def _all(found: dict[str, Any]) -> Table:
    now = {
        "sessions": found["sessions"]["created"],
        **{
            name: (found[name] or {}).get("total")
            for name in ("messages", "runs", "tool_calls", "approvals")
        },
        "tokens": (found["runs"] or {}).get("tokens"),
        "cost": (found["runs"] or {}).get("cost"),
    }
    return {
        "WHAT": list(now),
        "NUMBER": [_cell(value) for value in now.values()],
        "BEFORE": [_cell(found["before"][name]) for name in now],
    }


def _rows(*path: str) -> Callable[[dict[str, Any]], Table]:
    """A table of the rows that stand at this place of the document."""

    def make(found: dict[str, Any]) -> Table:
        rows: Any = found
        for name in path:
            rows = (rows or {}).get(name)
        names = list(rows[0]) if rows else []
        return {
            name.replace("_", " ").upper(): [_cell(one[name]) for one in rows] for name in names
        }

    return make


def _counts(word: str) -> Callable[[dict[str, Any]], Table]:
    """A table of how many sessions there are by this."""

    def make(found: dict[str, Any]) -> Table:
        counts = found["sessions"][f"by_{word}"]
        return {word.upper(): list(counts), "SESSIONS": [_cell(one) for one in counts.values()]}

    return make


def _cell(value: Any) -> str:
    return "–" if value is None else str(value)


TABLES: Mapping[By, Callable[[dict[str, Any]], Table]] = {
    "all": _all,
    "day": _rows("days"),
    "agent": _rows("agents"),
    "session": _rows("busiest"),
    "kind": _counts("kind"),
    "state": _counts("state"),
    "tool": _rows("tool_calls", "tools"),
    "topic": _rows("topics", "top"),
}
