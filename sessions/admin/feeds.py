"""What a live page can ask for: parts of a session, its ledger, rows of a list."""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone

from aegis_project.database import read_db
from aegis_project.kit.principal import Principal
from components import selectors
from components.admin import cells as component_cells
from components.admin import flow
from components.core.errors import ComponentNotFound
from sessions.admin import cells, component_streams, events, panels, views
from sessions.models import Session
from sessions.selectors import sessions, timeline
from streaming.hints import Hint
from streaming.selectors import logs

Frame = dict[str, Any]
MAX_ROWS = 200
# How often somebody looks after a session that is over, should a hint have gone astray.
OVER_SECONDS = 60.0
# What is new lights up for a moment; of a busy ledger all would, at every frame of the browser.
LIT_ROWS = 5
# A page is read a moment before it asks for its rows.
LOADING = timedelta(seconds=10)
# The views of a list are counted so long after the last time: when something moved, and anyway.
COUNTED, COUNTED_AGAIN = timedelta(seconds=2), timedelta(seconds=20)
TIMES = re.compile(r"(<time[^>]*>)[^<]*")


class Feed(ABC):
    """
    One subscription of a page.

    It takes a turn when a hint wakes it and every ``period_seconds``, at most once in
    ``spacing_seconds``; a turn returns the frames to send.
    """

    scope: ClassVar[str]
    period_seconds: float = 2.0
    spacing_seconds: float = 0.5

    def __init__(self, principal: Principal) -> None:
        principal.require(self.scope)
        self.principal = principal

    @abstractmethod
    async def turn(self) -> list[Frame]:
        """What the page does not know yet."""

    def follow(self, session: Session) -> None:
        """Look by oneself while a session is open; of one that is over, hints tell what comes."""
        self.period_seconds = type(self).period_seconds if session.is_open else OVER_SECONDS

    def wants(self, hint: Hint) -> bool:
        """Whether this hint brings the next turn forward."""
        return hint.kind == "moved"


class Changes:
    """Which of some pieces of HTML changed since they were last sent; ticking times do not."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}

    def of(self, pieces: Mapping[str, str]) -> dict[str, str]:
        """The pieces that are new or look different."""
        changed = {}
        for name, html in pieces.items():
            bare = TIMES.sub(r"\1", html)
            if self._sent.get(name) != bare:
                self._sent[name] = bare
                changed[name] = html
        return changed


class ChangingFeed(Feed):
    """Parts of a page, of which those are told that look different; at first all of them."""

    scope = "sessions:read"

    def __init__(self, principal: Principal) -> None:
        super().__init__(principal)
        self._changes = Changes()
        self._is_first = True

    @abstractmethod
    async def parts(self) -> dict[str, str]:
        """All of them as they look now."""

    async def turn(self) -> list[Frame]:
        changed = self._changes.of(await self.parts())
        is_first, self._is_first = self._is_first, False
        return [{"type": "parts", "parts": changed}] if changed or is_first else []


class PartsFeed(ChangingFeed):
    """The header, lever, strip and tabs of a session, and the panel of one tab."""

    def __init__(self, principal: Principal, *, session_id: UUID, tab: str) -> None:
        super().__init__(principal)
        self.session_id, self.tab = session_id, tab
        # The ledger is counted once, then only what is new in it.
        self._counted, self._rare = 0, Counter[str]()

    def wants(self, hint: Hint) -> bool:
        return hint.kind == "moved" or (
            hint.kind in {"ledger", "lever"} and hint.id == str(self.session_id)
        )

    async def parts(self) -> dict[str, str]:
        return await read_db(self._read)

    def _read(self) -> dict[str, str]:
        page = panels.load(self.principal, self.session_id)
        self.follow(page.session)
        return panels.render(page, self.tab) | self._counts(page)

    def _counts(self, page: panels.Page) -> dict[str, str]:
        """How much there is under the quick filters of the timeline that count."""
        if self.tab != "timeline" or not self.principal.allows("events:read"):
            return {}
        found = timeline.counts(page.session.pk, after=self._counted, up_to=page.head)
        self._counted = page.head
        self._rare.update(found)
        return {f"show-{show}": str(self._rare[show] or "") for show in found}


class LedgerFeed(Feed):
    """The events after a position, in order and without a gap; many at once in one frame."""

    scope = "events:read"
    spacing_seconds = 0.1

    def __init__(self, principal: Principal, *, session_id: UUID, show: str, after: int) -> None:
        super().__init__(principal)
        self.session_id, self.show, self.after = session_id, show, after
        self._is_first = True

    def wants(self, hint: Hint) -> bool:
        return hint.kind == "moved" or (hint.kind == "ledger" and hint.id == str(self.session_id))

    async def turn(self) -> list[Frame]:
        frame = await read_db(self._read)
        is_first, self._is_first = self._is_first, False
        self.after = frame["head"]
        return [frame] if frame["head"] != frame["after"] or is_first else []

    def _read(self) -> Frame:
        session = sessions.find(self.principal, self.session_id)
        self.follow(session)
        head = logs.ledger_head(session.pk)
        after = min(self.after, head)
        rows = events.news(session.pk, show=self.show, after=after, head=head)
        is_cut = len(rows) == timeline.PAGE and after < rows[-1].seq - 1
        return {
            "type": "events",
            "after": self.after,
            "head": head,
            "html": events.html(rows, is_new=len(rows) <= LIT_ROWS) if rows else "",
            "first": rows[-1].seq if rows else 0,
            "missed": is_cut,
        }


class RowsFeed(Feed):
    """The visible rows of a list, read again when something moved."""

    kinds: ClassVar[frozenset[str]]

    def __init__(self, principal: Principal, *, ids: Collection[UUID]) -> None:
        super().__init__(principal)
        self.ids = {str(pk) for pk in ids}
        self.since = timezone.now() - LOADING
        self._changes: dict[str, Changes] = {}
        self._heard: set[str] = set()
        self._counted: set[str] = set()
        self._is_first = True

    def wants(self, hint: Hint) -> bool:
        if hint.kind not in self.kinds:
            return hint.kind == "moved"
        if hint.id not in self.ids | self._counted:
            self._heard.add(hint.id)
        return True

    async def turn(self) -> list[Frame]:
        rows, new = await read_db(self._read, frozenset(self._heard))
        self._heard.clear()
        self._counted |= new
        changed = {}
        for pk, row in rows.items():
            found = self._changes.setdefault(pk, Changes()).of(row)
            if found:
                changed[pk] = found
        is_first, self._is_first = self._is_first, False
        if not (changed or new or is_first):
            return []
        return [{"type": "rows", "rows": changed, "others": len(new)}]

    @abstractmethod
    def _read(self, heard: frozenset[str]) -> tuple[dict[str, dict[str, str]], set[str]]:
        """The rows by id, and which of those that were heard of are new."""


class SessionsFeed(RowsFeed):
    """Rows of the session list."""

    scope = "sessions:read"
    kinds = frozenset({"ledger", "lever"})

    def __init__(self, principal: Principal, *, ids: Collection[UUID]) -> None:
        super().__init__(principal, ids=ids)
        self._views: dict[str, str] = {}
        self._has_moved, self._counted_at = True, self.since

    def wants(self, hint: Hint) -> bool:
        is_wanted = super().wants(hint)
        self._has_moved |= is_wanted
        return is_wanted

    async def turn(self) -> list[Frame]:
        frames = await super().turn()
        found = await self._count()
        return [*frames, {"type": "views", "counts": found}] if found else frames

    async def _count(self) -> dict[str, str]:
        """How many sessions the views have, as far as that is otherwise than it was."""
        now = timezone.now()
        pause = COUNTED if self._has_moved else COUNTED_AGAIN
        if now - self._counted_at < pause:
            return {}
        self._has_moved, self._counted_at = False, now
        before, self._views = self._views, await read_db(views.counts, self.principal)
        return {word: count for word, count in self._views.items() if before.get(word) != count}

    def _read(self, heard: frozenset[str]) -> tuple[dict[str, dict[str, str]], set[str]]:
        now, seen = timezone.now(), sessions.visible(self.principal)
        found = seen.filter(pk__in=self.ids).select_related("owner")
        rows: dict[str, dict[str, str]] = {
            str(pk): {**row} for pk, row in cells.rows(self.principal, found, now=now).items()
        }
        return rows, _new(seen, heard, self.since)


class ComponentsFeed(RowsFeed):
    """Rows of the component list."""

    scope = "components:read"
    kinds = frozenset({"component"})

    def _read(self, heard: frozenset[str]) -> tuple[dict[str, dict[str, str]], set[str]]:
        now, seen = timezone.now(), selectors.visible(self.principal)
        found = seen.filter(pk__in=self.ids).select_related("lease")
        flows = flow.of_sessions(row.session_id for row in found)
        rows = {str(row.pk): component_cells.row(row, flows, now=now) for row in found}
        return rows, _new(seen, heard, self.since)


class ComponentFeed(ChangingFeed):
    """The state, steps, heartbeat and streams of one component."""

    scope = "components:read"

    def __init__(self, principal: Principal, *, component_id: UUID) -> None:
        super().__init__(principal)
        self.component_id = component_id

    def wants(self, hint: Hint) -> bool:
        return hint.kind == "moved" or (
            hint.kind == "component" and hint.id == str(self.component_id)
        )

    async def parts(self) -> dict[str, str]:
        return await read_db(self._read)

    def _read(self) -> dict[str, str]:
        seen = selectors.visible(self.principal).select_related("lease")
        row = seen.filter(pk=self.component_id).first()
        if row is None:
            raise ComponentNotFound(component_id=str(self.component_id))
        now, readings = timezone.now(), flow.look([row.session_id])
        known = readings[0] if readings else {}
        streams = component_streams.panel(self.principal, row, known, now=now)
        return {**component_cells.parts(row, now=now), "streams": streams}


def _new(seen: Any, heard: Iterable[str], since: datetime) -> set[str]:
    rows = seen.filter(pk__in=list(heard), created_at__gte=since) if heard else seen.none()
    return {str(pk) for pk in rows.values_list("pk", flat=True)}
