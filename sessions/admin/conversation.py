"""A session's conversation as cards: messages with their tool calls, and what runs say now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from sessions.admin import call_cells
from sessions.core import citations, saw, triggers
from sessions.core.citations import Seen
from sessions.core.conversation import Role
from sessions.models import Agent, Approval, Run, Session
from sessions.selectors import agents, approvals, history, tool_calls, voices
from sessions.selectors.history import Entry, Extract
from sessions.selectors.reviewing import milliseconds
from streaming.selectors import logs

WINDOW = 30
"""Messages that a page follows; older ones are a click away."""

CITED = '<a class="ae-cited" href="{}" title="{}">{}</a>'


@dataclass(frozen=True, slots=True)
class Talk:
    """
    A stretch of a conversation at one moment, the oldest message first, as its reader may see it.

    ``topics`` are those that are named by links, ``may_look`` says whether approvals are.
    """

    session: Session
    extract: Extract
    runs: dict[UUID, Run]
    decisions: dict[UUID, Approval]
    topics: set[str]
    seen: Seen
    may_look: bool
    now: datetime

    @property
    def order(self) -> list[str]:
        """The names of its cards."""
        return [name(entry) for entry in self.extract.entries]


def name(entry: Entry) -> str:
    """The name of a message's card on the page."""
    return f"m-{entry.message.pk}"


def load(principal: Principal, session: Session, *, before: int | None = None) -> Talk:
    """The newest messages, or the newest of those before a place."""
    extract = history.page(session, limit=WINDOW, before=before)
    said = {entry.message.run_id for entry in extract.entries if entry.message.run_id}
    calls = [call for entry in extract.entries for call in entry.calls]
    seen = _seen(extract.entries)
    # A topic is listed a moment after its first record, which somebody may have read by then.
    topics = {*logs.names(session.pk), *seen.topics} if principal.allows("topics:read") else set()
    return Talk(
        session=session,
        extract=extract,
        runs=voices.by_id(said),
        decisions=tool_calls.last_approvals(calls) if calls else {},
        topics={name for name in topics if logs.may_see(principal, name)},
        seen=seen,
        may_look=approvals.may_read(principal),
        now=timezone.now(),
    )


def _seen(entries: Sequence[Entry]) -> Seen:
    """The records that agents read here, and those that triggers passed on; nobody else's word."""
    found = Seen()
    for call in (call for entry in entries for call in entry.calls):
        if saw.is_reading(call.tool, call.source):
            found.take_answer(call.result)
    for message in (entry.message for entry in entries):
        if not _is_record(message.author):
            continue
        record = triggers.passed_on(message.content, str(message.metadata.get("cause", "")))
        if record is not None:
            topic, seq, data = record
            found.take(topic, [{"seq": seq, "ts": milliseconds(message.created_at), "data": data}])
    return found


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
    is_record = _is_record(message.author)
    context = {
        "name": name(entry),
        "message": message,
        "who": message.agent if run else _who(message.author, message.role),
        "is_agent": run is not None,
        "is_record": is_record,
        "at": marks.clock(message.created_at, now=talk.now),
        "facts": _facts(entry, run),
        "text": _text(message.content, talk, is_record=is_record),
        "may_look": talk.may_look,
        "calls": call_cells.several(entry.calls, talk.decisions, now=talk.now),
        "attachments": entry.attachments,
    }
    return render_to_string("admin/aegis/session/message.html", context)


def _text(content: str, talk: Talk, *, is_record: bool) -> SafeString:
    """What was said; what it tells of leads to that instant, or to its topic."""
    # What a trigger passed on is the record itself: none of its numbers tells of another one.
    found = citations.pieces(content, talk.topics, Seen() if is_record else talk.seen)
    return format_html_join("", "{}", ((_piece(one, talk.session),) for one in found))


def _piece(piece: citations.Piece, session: Session) -> str:
    sight = piece.sight
    if sight is not None:
        review = reverse("admin:aegis_sessions_session_review", args=[session.pk])
        title = f"Record {sight.seq} of {sight.topic}"
        return format_html(CITED, f"{review}?t={sight.ts}", title, piece.text)
    if piece.topic:
        page = reverse("admin:aegis_sessions_session_change", args=[session.pk])
        address = f"{page}?tab=topics&topic={quote(piece.topic)}"
        return format_html(CITED, address, "Its newest records", piece.text)
    return piece.text


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


def answering(principal: Principal, session: Session) -> Agent | None:
    """The agent that answers here, if there is one."""
    return agents.find(principal, session.agent) if session.agent else None
