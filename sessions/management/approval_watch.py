"""`aegis approval watch`: what waits for people, live."""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

import orjson
import typer
from django.db.models import Q
from django.utils import timezone
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.api import approval_documents
from sessions.core.approvals import State
from sessions.core.lifecycle import CLOSED
from sessions.management import far, far_approvals, output, verbs, waiting
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.verbs import As, Json, elsewhere, verb
from sessions.models import Approval, Session
from sessions.selectors import approvals as reading
from sessions.selectors import sessions
from streaming.api import codecs

Of = Annotated[str, typer.Option("--session", help="Only those of this session.")]
Follow = Annotated[
    bool, typer.Option(help="Go on, with --session until that is closed; else what waits now.")
]
# Who asked so long ago may be seen only now: their transaction took that long.
OVERLAP = timedelta(minutes=1)
NEWEST, MOST = 100, 1000
LOOK_SECONDS = 1.0
DECIDED_SHOWN = 8


@dataclass
class Inbox:
    """
    What is to be told of approvals: each that waits, and whatever becomes of it.

    ``look`` takes the ids of those that were open, and gives them, the open ones and the newest.
    """

    look: Callable[[Sequence[str]], list[Document]]
    is_over: Callable[[], bool]
    pause: Callable[[], None]
    known: dict[str, Document] = field(default_factory=dict)
    is_begun: bool = False

    @property
    def waiting(self) -> list[Document]:
        """Those that wait, the most urgent first."""
        rows = [one for one in self.known.values() if one["state"] == State.PENDING]
        return sorted(rows, key=lambda one: (one["expires_at"], one["id"]))

    def changes(self) -> list[Document]:
        """Those that are otherwise than at the last look; at the first one, those that wait."""
        before, is_begun = self.known, self.is_begun
        found = self.look([one["id"] for one in self.waiting])
        self.known, self.is_begun = {one["id"]: one for one in found}, True
        if not is_begun:
            return self.waiting
        return [one for name, one in self.known.items() if _mark(one) != _mark(before.get(name))]

    def followed(self, *, follows: bool) -> Iterator[list[Document]]:
        """The changes as they come, none where nothing moved, until it is over."""
        while True:
            # Before the look, which then has all that the end has written.
            is_over = not follows or self.is_over()
            found = self.changes()
            yield found
            if not found and is_over:
                return
            if not found:
                self.pause()


def _mark(one: Document | None) -> tuple[Any, ...]:
    return (one["version"], one["state"], one["claimed_by"], one["clock_stopped_at"]) if one else ()


def far_watch(server: Client, *, session: str, follow: bool, is_json: bool) -> None:
    """What waits for people at a server."""
    inbox = Inbox(
        look=partial(_there, server, session),
        is_over=lambda: bool(session) and server.get("sessions", session)["state"] in CLOSED,
        pause=_for_a_look,
    )
    _tell(inbox, follows=follow, is_json=is_json)


@verb
@elsewhere(far_watch)
def watch(
    *, session: Of = "", follow: Follow = True, as_user: As = "", is_json: Json = False
) -> None:
    """
    Watch what waits for people; Ctrl-C stops looking alone.

    Where nobody looks, print a line for each that waits and for whatever becomes of it.

    Examples: aegis approval watch; aegis approval watch --session demo --json
    """
    principal = verbs.acting(as_user)
    reading.require(principal)
    row = sessions.resolve(principal, session) if session else None
    inbox = Inbox(
        look=partial(_here, principal, row),
        is_over=partial(_is_over, row),
        pause=waiting.until_a_hint,
    )
    _tell(inbox, follows=follow, is_json=is_json)


def _tell(inbox: Inbox, *, follows: bool, is_json: bool) -> None:
    if not is_json and output.is_terminal():
        _live(inbox, follows=follows)
        return
    for found in inbox.followed(follows=follows):
        for one in found:
            if is_json:
                output.line(one)
            else:
                output.plain(line(one))


def _live(inbox: Inbox, *, follows: bool) -> None:
    from rich.live import Live  # noqa: PLC0415 -- slow import

    decided: deque[Document] = deque(maxlen=DECIDED_SHOWN)
    with Live(auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        for found in inbox.followed(follows=follows):
            decided += [one for one in found if one["state"] != State.PENDING]
            live.update(view(inbox.waiting, list(decided)), refresh=True)


def view(opened: Sequence[Document], decided: Sequence[Document]) -> Any:
    """What the terminal shows: who waits how long, and what was decided meanwhile."""
    from rich.console import Group  # noqa: PLC0415 -- slow import
    from rich.text import Text  # noqa: PLC0415 -- slow import

    head = f"{len(opened)} wait" if opened else "Nothing waits for people."
    tables = [
        far.table(far_approvals.APPROVALS, opened),
        {
            "DECIDED": [one["tool_call"]["name"] for one in decided],
            "SESSION": [one["session_key"] for one in decided],
            "STATE": [one["state"] for one in decided],
            "BY": [one["decided_by"] or "–" for one in decided],
            "REASON": [" ".join(one["reason"].split())[:60] for one in decided],
        },
    ]
    shown = [output.drawn(one) for one in tables if any(one.values())]
    last = "aegis approval show APPROVAL, approve or reject it" if opened else ""
    return Group(
        Text(head), *itertools.chain.from_iterable(("", one) for one in shown), "", Text(last)
    )


def line(one: Document) -> str:
    """An approval on one line, for people."""
    call, who = one["tool_call"], one["decided_by"] or one["claimed_by"]
    words = [one["id"], one["session_key"], call["name"], call["risk"], one["state"]]
    return "  ".join([*words, *([who] if who else [])])


def _here(principal: Principal, row: Session | None, opened: Sequence[str]) -> list[Document]:
    since = timezone.now() - OVERLAP
    wanted = Q(state=State.PENDING.value) | Q(pk__in=opened) | Q(requested_at__gte=since)
    rows = reading.readable(principal).filter(wanted)
    if row is not None:
        rows = rows.filter(session=row)
    found = rows.order_by("requested_at", "pk")
    return [_document(one) for one in found]


def _document(row: Approval) -> Document:
    """An approval as a server would answer it."""
    found: Document = orjson.loads(output.dump(codecs.show(approval_documents.approval(row))))
    return found


def _there(server: Client, session: str, opened: Sequence[str]) -> list[Document]:
    asked = {"session": session} if session else {}
    urgent, _ = server.several("approvals", limit=MOST, **asked)
    newest, _ = server.several(
        "approvals", limit=NEWEST, state="all", ordering="-requested_at", **asked
    )
    found = {one["id"]: one for one in [*urgent, *reversed(newest)]}
    gone = [server.get("approvals", name) for name in opened if name not in found]
    return [*found.values(), *gone]


def _is_over(row: Session | None) -> bool:
    if row is None:
        return False
    row.refresh_from_db()
    return row.state in CLOSED or row.deleted_at is not None


def _for_a_look() -> None:
    threading.Event().wait(LOOK_SECONDS)


def add_to(app: Typer[Any, Any]) -> None:
    """Make watching a verb of approvals."""
    app.command()(watch)
