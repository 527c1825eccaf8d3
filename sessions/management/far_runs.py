"""`aegis runs` against a server that was named."""

from collections.abc import Sequence
from typing import Any

from sessions.core.runs import State
from sessions.management import beginnings, far, listing, output
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.output import How


def _state(row: Document) -> str:
    return f"{row['state']} for {row['waiting_for']}" if row["waiting_for"] else str(row["state"])


RUNS: Columns = {
    "RUN": lambda row: row["id"],
    "AGENT": lambda row: row["agent"],
    "STATE": _state,
    "TOKENS": lambda row: str(row["token_count"]),
    "COST": lambda row: row["cost"],
    "AGE": lambda row: far.moment(row["created_at"]),
}


def several(
    server: Client,
    *,
    session: str,
    state: Sequence[State],
    limit: int,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """The runs that a credential sees there."""
    place = ("sessions", session, "runs") if session else ("runs",)
    wanted = ",".join(one.value for one in state)
    rows, has_more = server.several(*place, limit=limit, state=wanted)
    if has_more:
        output.say(f"There are more than {limit}; see --limit.")
    far.several(How(is_json, is_quiet), "runs.list", RUNS, rows, has_more=has_more)


def show(server: Client, *, run: str, is_json: bool, is_quiet: bool) -> None:
    """Where a run stands and what it used."""
    far.one(How(is_json, is_quiet), "runs.show", RUNS, server.get("runs", _whole(server, run)))


def start(
    server: Client, *, session: str, agent: str, task: str, is_json: bool, is_quiet: bool
) -> None:
    """Let an agent go on with a conversation."""
    body = listing.said(agent=agent, task=task)
    made = server.send("POST", "sessions", session, "runs", body=body)
    far.one(How(is_json, is_quiet), "runs.start", RUNS, made)


def cancel(server: Client, *, run: str, reason: str, is_json: bool, is_quiet: bool) -> None:
    """Cancel a run, and what it began."""
    done = server.send("POST", "runs", _whole(server, run), "cancel", body={"reason": reason})
    far.one(How(is_json, is_quiet), "runs.cancel", RUNS, done)


def limits(server: Client, *, run: str, is_json: bool, is_quiet: bool, **given: Any) -> None:
    """Change what a run may use."""
    done = server.send("POST", "runs", _whole(server, run), "limits", body=listing.said(**given))
    far.one(How(is_json, is_quiet), "runs.limits", RUNS, done)


def _whole(server: Client, run: str) -> str:
    return beginnings.far_whole(server, "runs", reference=run)
