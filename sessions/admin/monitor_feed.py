"""The live rows of the Topics monitor."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from aegis_project.database import read_db
from aegis_project.kit.principal import Principal
from sessions.admin import monitor, topic_cells
from sessions.admin.feeds import LOADING, Changes, Feed, Frame
from sessions.admin.monitor import Glance, Oddities
from sessions.selectors import monitor as topics
from sessions.selectors.monitor import Name
from streaming.hints import Hint
from streaming.models import Log


class MonitorFeed(Feed):
    """
    The visible rows of the monitor, and what is odd anywhere.

    The first frame has everything, each later one what changed; ``turn`` counts them, so that a
    page knows when it missed one. ``others`` are topics that came since the page was read, in a
    view of odd ones those that became so.
    """

    scope = "topics:read"
    period_seconds = 1.0

    def __init__(
        self, principal: Principal, *, ids: Collection[int], view: str, query: dict[str, str]
    ) -> None:
        super().__init__(principal)
        self.ids, self.view, self.query = ids, view, query
        self.since = timezone.now() - LOADING
        self._keys: list[Name] = []
        self._changes: dict[int, Changes] = {}
        self._around = Changes()
        self._turn = self._before = 0

    def wants(self, hint: Hint) -> bool:
        return hint.kind in {"moved", "lever"}

    async def turn(self) -> list[Frame]:
        if not self._turn:
            self._keys = await read_db(self._find_keys)
        rows, parts, others = await read_db(self._read, monitor.glance(self._keys))
        changed = {}
        for pk, row in rows.items():
            found = self._changes.setdefault(pk, Changes()).of(row)
            if found:
                changed[str(pk)] = found
        around = self._around.of(parts)
        new, self._before = others - self._before, others
        if not (changed or around or new) and self._turn:
            return []
        self._turn += 1
        frame: Frame = {"type": "monitor", "turn": self._turn, "rows": changed}
        return [frame | {"parts": around, "others": others}]

    def _find_keys(self) -> list[Name]:
        rows = topics.visible(self.principal).filter(pk__in=self.ids)
        return [(str(row.session_id), row.name) for row in rows]

    def _read(self, current: Glance) -> tuple[dict[int, dict[str, str]], dict[str, str], int]:
        now, visible = timezone.now(), topics.visible(self.principal)
        rows: list[Log] = list(visible.filter(pk__in=self.ids))
        seen = monitor.seen(rows, current.readings)
        cells: dict[int, Any] = {one.log.pk: topic_cells.row(one, now=now) for one in seen}
        found = monitor.oddities(self.principal, current)
        parts = monitor.parts(found, current, view=self.view, query=self.query)
        return cells, parts, self._others_of(found, visible)

    def _others_of(self, found: Oddities, visible: QuerySet[Log]) -> int:
        if self.view in monitor.ODD:
            session_id = self.query["session"]
            names = found.names(self.view) - set(self._keys)
            return sum(not session_id or one[0] == session_id for one in names)
        new = visible.filter(created_at__gte=self.since).exclude(pk__in=self.ids)
        if self.query["session"]:
            new = new.filter(session_id=self.query["session"])
        return new[:100].count()
