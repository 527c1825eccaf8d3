"""A session's conversation as cards: messages with their tool calls, and what runs say now."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone

from aegis_project import marks
from aegis_project.kit.principal import Principal
from sessions.admin import words
from sessions.admin.approval_cells import person, shown
from sessions.core.conversation import Role
from sessions.core.runs import State
from sessions.models import Agent, Run, Session, ToolCall
from sessions.selectors import agents, history, tool_calls, voices
from sessions.selectors.history import Entry, Extract

WINDOW = 30
"""Messages that a page follows; older ones are a click away."""

RUNS = 8
CALLS = 100
LONGEST_ARGUMENTS = 120


@dataclass(frozen=True, slots=True)
class Talk:
    """A stretch of a conversation at one moment, the oldest message first."""

    session: Session
    extract: Extract
    runs: dict[UUID, Run]
    now: datetime

    @property
    def order(self) -> list[str]:
        """The names of its cards."""
        return [name(entry) for entry in self.extract.entries]


def name(entry: Entry) -> str:
    """The name of a message's card on the page."""
    return f"m-{entry.message.pk}"


def load(session: Session, *, before: int | None = None) -> Talk:
    """The newest messages, or the newest of those before a place."""
    extract = history.page(session, limit=WINDOW, before=before)
    said = {entry.message.run_id for entry in extract.entries if entry.message.run_id}
    return Talk(session, extract, voices.by_id(said), timezone.now())


def cards(talk: Talk) -> dict[str, str]:
    """Each message as a card, by the name of the card."""
    return {name(entry): _message(entry, talk) for entry in talk.extract.entries}


def html(talk: Talk) -> str:
    """All cards of a stretch in their order."""
    found = cards(talk)
    return "".join(found[one] for one in talk.order)


def _message(entry: Entry, talk: Talk) -> str:
    message = entry.message
    # What a person says to a run that asked belongs to the run, too.
    by = message.run_id if message.role != Role.USER else None
    run = talk.runs.get(by) if by else None
    context = {
        "name": name(entry),
        "message": message,
        "who": message.agent if run else _who(message.author, message.role),
        "is_agent": run is not None,
        "is_record": _is_record(message.author),
        "at": marks.clock(message.created_at, now=talk.now),
        "facts": _facts(entry, run),
        "calls": [call_context(call, now=talk.now) for call in entry.calls],
        "attachments": entry.attachments,
    }
    return render_to_string("admin/aegis/session/message.html", context)


def _who(author: str, role: str) -> str:
    if _is_record(author):
        return "Trigger"
    kind, _, label = author.partition(":")
    return label or kind or role


def _is_record(author: str) -> bool:
    """Whether a trigger passed on a record, which nobody wrote."""
    return author.removeprefix("system:").startswith("trigger:")


def _facts(entry: Entry, run: Run | None) -> str:
    message, said = entry.message, []
    if run is not None:
        said.append(f"run {run.place}")
    if message.token_count:
        said.append(f"{message.token_count} tokens")
    if entry.branch_count > 1:
        said.append(f"one of {entry.branch_count} branches")
    if message.role == "system":
        said.append("note")
    return ", ".join(said)


def call_context(call: ToolCall, *, now: datetime) -> dict[str, Any]:
    """What a tool call's card or row shows."""
    took = (call.ended_at or now) - call.started_at if call.started_at else None
    return {
        "call": call,
        "tool": words.tool(call.tool),
        "chip": marks.chip(call.state, marks.TOOL_CALL),
        "arguments": in_short(call.arguments),
        "took": marks.took(took.total_seconds()) if took else "",
        "error": (call.error or {}).get("message", ""),
        "is_open": call.state == "pending",
    }


def in_short(arguments: dict[str, Any]) -> str:
    """Arguments in one line."""
    said = ", ".join(f"{key} {shown(value)}" for key, value in arguments.items())
    return said if len(said) <= LONGEST_ARGUMENTS else said[: LONGEST_ARGUMENTS - 1] + "…"


def run_cards(runs: Sequence[Run], *, now: datetime) -> dict[str, str]:
    """Each open run as a card whose text the page writes, by the name of the card."""
    return {f"r-{run.pk}": _run(run, now) for run in runs}


def _run(run: Run, now: datetime) -> str:
    context = {
        "run": run,
        "chip": marks.chip(run.state, marks.RUN),
        "why": tool_calls.question(run) or WAITS.get(run.waiting_for, ""),
        "at": marks.clock(run.started_at or run.created_at, now=now),
        "error": (run.error or {}).get("message", ""),
    }
    return render_to_string("admin/aegis/session/run.html", context)


WAITS = {
    "approval": "It waits for a decision.",
    "budget": "It has used what it may; an operator can raise its limits.",
    "input": "It waits for input.",
    "unknown": "A person has to say what became of a tool call.",
}


def run_rows(session: Session, *, now: datetime) -> str:
    """The last runs with what they took: the drawer beside the conversation."""
    rows = _families(voices.last_runs(session.pk, limit=RUNS), now=now)
    return render_to_string(
        "admin/aegis/session/runs.html", {"rows": rows, "session": session, "limit": RUNS}
    )


def _families(runs: Sequence[Run], *, now: datetime) -> list[dict[str, Any]]:
    """The rows of runs, the newest first, and each that another run began beneath that one."""
    known, below = {run.pk for run in runs}, defaultdict[UUID | None, list[Run]](list)
    for run in reversed(runs):
        below[run.parent_id].append(run)

    def with_those(run: Run) -> Iterator[Run]:
        yield run
        for one in below[run.pk]:
            yield from with_those(one)

    first = [run for run in runs if run.parent_id not in known]
    return [run_context(one, now=now) for run in first for one in with_those(run)]


def run_context(run: Run, *, now: datetime) -> dict[str, Any]:
    """What a row of a run shows."""
    took = (run.ended_at or now) - run.started_at if run.started_at else None
    return {
        "run": run,
        "chip": marks.chip(run.state, marks.RUN),
        "asked_by": person(run.requested_by),
        "took": marks.took(took.total_seconds()) if took else "–",
        "cost": f"{run.cost:.4f}" if run.cost else "–",
        "error": (run.error or {}).get("message", ""),
        "is_open": run.state in {State.QUEUED, State.WORKING, State.WAITING},
    }


def answering(principal: Principal, session: Session) -> Agent | None:
    """The agent that answers here, if there is one."""
    return agents.find(principal, session.agent) if session.agent else None


def calls_panel(session: Session, *, now: datetime) -> dict[str, Any]:
    """The tables of the tab of tool calls: the last runs, the last calls."""
    calls = tool_calls.of_session(session.pk).select_related("run")
    rows = calls.order_by("-created_at", "-pk")[:CALLS]
    return {
        "runs": _families(voices.last_runs(session.pk, limit=CALLS), now=now),
        "calls": [call_context(call, now=now) for call in rows],
        "limit": CALLS,
    }
