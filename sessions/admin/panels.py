"""The parts of a session's page, for its first paint and for every later one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from components import selectors
from components.admin import cells, flow, ladder
from components.models import Component
from sessions.admin import (
    artifact_cells,
    audit_cells,
    call_cells,
    checkpoint_cells,
    lanes,
    ribbon,
    words,
)
from sessions.admin.events import pretty
from sessions.admin.lever import Verb, verbs
from sessions.admin.strips import Strip, strips
from sessions.core.conditions import Condition
from sessions.models import Session
from sessions.selectors import approvals, made, presets, sessions
from sessions.selectors.sessions import View
from sessions.services import capsules
from streaming.models import Log
from streaming.models.log import LEDGER
from streaming.selectors import audit, pages
from streaming.selectors import logs as log_rows

TABS = {
    "timeline": "Timeline",
    "conversation": "Conversation",
    "participants": "Participants",
    "topics": "Topics",
    "calls": "Tool calls",
    "checkpoints": "Checkpoints",
    "artifacts": "Artifacts",
    "config": "Config",
    "audit": "Audit",
}
# Tabs that need more than reading the session does.
SCOPES = {
    "audit": audit.SCOPE,
    "artifacts": "messages:read",
    "conversation": "messages:read",
    "calls": "runs:read",
    "topics": "topics:read",
}
LAST_ENTRIES = 50
LAST_MADE = 20


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the page shows of a session at one moment, read in four queries."""

    view: View
    components: list[Component]
    logs: dict[str, Log]
    principal: Principal
    now: datetime

    @property
    def session(self) -> Session:
        return self.view.session

    @property
    def head(self) -> int:
        """The seq of the newest event."""
        log = self.logs.get(LEDGER)
        return log.head if log else 0

    @property
    def tags(self) -> SafeString:
        """The tags that it carries."""
        return marks.tags(self.session.tags)

    @property
    def open_approvals(self) -> int:
        """How many decisions wait in it, for whoever may see them."""
        if Condition.WAITING not in self.view.conditions or not approvals.may_read(self.principal):
            return 0
        return approvals.waiting_in(self.session)

    @property
    def veiled(self) -> list[str]:
        """The topics that are there and are not for whoever looks at the page."""
        return lanes.veiled(self.principal, self.session.pk)

    @property
    def may_export(self) -> bool:
        """Whether the reader may have all of the session, but for topics that patterns keep away."""
        return capsules.may(self.principal)

    @property
    def may_make_template(self) -> bool:
        """Whether the principal may make a template of it."""
        return self.principal.allows("templates:write")

    @property
    def may_control(self) -> bool:
        """Whether the principal may steer the session and give out its tokens."""
        return self.principal.allows("sessions:control")

    @property
    def may_write(self) -> bool:
        """Whether the principal may say something in the session, and write files."""
        return self.principal.allows("messages:write")

    @property
    def topics(self) -> list[Log]:
        """The listed topics, by name."""
        return [log for name, log in sorted(self.logs.items()) if _is_topic(name)]


def _is_topic(name: str) -> bool:
    return name != LEDGER and not name.startswith("runs.")


def load(principal: Principal, reference: Session | UUID | str) -> Page:
    """
    Read a session for its page.

    :raises SessionNotFound: if it is not there for the principal
    """
    now = timezone.now()
    session = sessions.find(principal, reference)
    view, parts = sessions.view(session, now=now), list(selectors.parts(session.pk))
    logs = log_rows.by_name(session.pk)
    return Page(view=view, components=parts, logs=logs, principal=principal, now=now)


def render(page: Page, tab: str) -> dict[str, str]:
    """The parts that are always there and the panel of one tab, by the name of their element."""
    parts = {
        "title": _render("title", page),
        "lever": _render("lever", page, verbs=lever(page)),
        "meta": _render("meta", page),
        "ribbon": _render("ribbon", page, **ribbon.of(page.principal, page.session, now=page.now)),
        "strip": _render("strip", page, **_worst(strips(page.view, page.components, page.now))),
        "tabs": _render("tabs", page, tabs=tabs(page, tab), current=tab),
    }
    if tab in PANELS and may_open(page, tab):
        parts["panel"] = PANELS[tab](page)
    return parts


def _render(name: str, page: Page, **context: Any) -> str:
    shared = {"session": page.session, "view": page.view, "now": page.now, "page": page}
    return render_to_string(
        f"admin/aegis/session/{name}.html", shared | {"states": _states(page)} | context
    )


def _states(page: Page) -> str:
    return words.states(page.view, now=page.now)


def lever(page: Page) -> list[Verb]:
    """The verbs of the lever, or none for who may not steer."""
    return verbs(page.session) if page.may_control else []


def _worst(found: Sequence[Strip]) -> dict[str, Any]:
    return {"strip": found[0] if found else None, "more": max(len(found) - 1, 0)}


def may_open(page: Page, tab: str) -> bool:
    """Whether whoever looks at the page has this tab."""
    scope = SCOPES.get(tab)
    return scope is None or page.principal.allows(scope)


def tabs(page: Page, current: str) -> list[dict[str, Any]]:
    """The tabs with the number that belongs to each."""
    total, present = len(page.view.participants), page.view.present_count
    counts = {
        "participants": f"{present}/{total}" if total else "0",
        "topics": str(len(page.topics)) if page.topics else "",
        "conversation": str(page.session.message_count or ""),
        **{word: str(count or "") for word, count in made.of(page.session.pk).items()},
    }
    is_short = present < total and page.session.state == "running"
    return [
        {
            "word": word,
            "title": title,
            "is_current": word == current,
            "count": counts.get(word, ""),
            "tone": "warn" if word == "participants" and is_short else "",
        }
        for word, title in TABS.items()
        if may_open(page, word)
    ]


def participants(page: Page) -> str:
    """The table of components, and how to connect one more."""
    flows = flow.of_sessions([page.session.pk] if page.components else [])
    rows = [
        {
            "component": component,
            "name": cells.name(component, now=page.now),
            "chip": cells.chip(component, now=page.now),
            "role": cells.role(component, now=page.now),
            "ladder": ladder.of(component, now=page.now),
            "heard": cells.heard(component, now=page.now),
            "topics": cells.topics(component, now=page.now),
            "lag": flow.lag(flows.get(str(component.pk), flow.NOTHING)),
            "dropped": flow.dropped(flows.get(str(component.pk), flow.NOTHING)),
        }
        for component in page.components
    ]
    return _render("participants", page, rows=rows)


def config(page: Page) -> str:
    """Facets, times, and the JSON documents of the session."""
    session = page.session
    names = ("created_at", "started_at", "stopped_at", "last_activity_at", "expires_at")
    times = [
        (name.removesuffix("_at").replace("_", " ").capitalize(), getattr(session, name))
        for name in names
    ]
    source = session.config.get("source")
    documents = {
        "Source": source,
        "Context": session.context,
        "Config": {key: value for key, value in session.config.items() if key != "source"},
        "Metadata": session.metadata,
        "Result": session.result,
    }
    return _render(
        "config",
        page,
        times=[(name, marks.clock(at, now=page.now)) for name, at in times],
        moved_on=presets.moved_on(page.principal, session),
        documents=[
            (title, f"ae-document-{title.lower()}", pretty(value) if value else "")
            for title, value in documents.items()
        ],
    )


def calls(page: Page) -> str:
    """What agents did here: their runs with what they took, and what they asked for."""
    may_decide = approvals.may_read(page.principal)
    panel = call_cells.panel(page.session, now=page.now)
    return _render("calls", page, may_decide=may_decide, **panel)


def entries(page: Page) -> str:
    """What was asked for here, the newest first."""
    rows = audit.readable(page.principal).filter(session=page.session)
    found = pages.page(rows, order="-at", cursor="", limit=LAST_ENTRIES).rows
    shown = [
        {name: cell(row, now=page.now) for name, cell in audit_cells.CELLS.items()}
        | {"pk": row.pk, "address": audit_cells.address(row)}
        for row in found
    ]
    everything = reverse("admin:aegis_streaming_auditentry_changelist")
    return _render("audit", page, rows=shown, all=f"{everything}?q={quote(page.session.key)}")


def kept(page: Page) -> str:
    """The positions that the session can come back to."""
    sessions_made = ribbon.made_of(page.principal, page.session)
    panel = checkpoint_cells.panel(page.session, now=page.now)
    return _render("checkpoints", page, made=sessions_made[:LAST_MADE], **panel)


def files(page: Page) -> str:
    """The files of the session's sandbox."""
    return _render("artifacts", page, **artifact_cells.panel(page.session, now=page.now))


PANELS = {
    "participants": participants,
    "config": config,
    "calls": calls,
    "checkpoints": kept,
    "artifacts": files,
    "audit": entries,
}
