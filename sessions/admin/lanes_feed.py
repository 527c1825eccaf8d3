"""The lanes of a session while somebody looks at them."""

import asyncio
from typing import Any
from uuid import UUID

from aegis_project.database import read_db
from aegis_project.kit.principal import Principal
from sessions.admin import keeping, lanes
from sessions.admin.feeds import Feed, Frame
from sessions.selectors import sessions
from streaming import node
from streaming.hints import Hint
from streaming.selectors import logs


class LanesFeed(Feed):
    """
    What the lanes of a session's ledger and the strips of its topics look like now.

    A frame has those of the two that changed.
    """

    scope = "events:read"
    period_seconds = 1.0

    def __init__(self, principal: Principal, *, session_id: UUID) -> None:
        super().__init__(principal)
        self.session_id = session_id
        self._drawing = lanes.Drawing()
        self._sent: dict[str, Any] = {}
        self._bookmarks: list[list[Any]] | None = None

    def wants(self, hint: Hint) -> bool:
        return hint.kind == "moved" or (hint.kind == "ledger" and hint.id == str(self.session_id))

    async def turn(self) -> list[Frame]:
        parts: dict[str, Any] = {"lanes": await read_db(self._read)}
        if self.principal.allows("topics:read"):
            hub, at = node.required().hub, asyncio.get_running_loop().time()
            readings = hub.watch.read(hub, str(self.session_id), at=at)
            seen = {name: one for name, one in readings.items() if self._may_see(name)}
            parts["strips"] = lanes.strips(seen)
        else:
            parts["strips"] = lanes.veil(await read_db(self._veiled))
        changed = {name: part for name, part in parts.items() if self._sent.get(name) != part}
        self._sent.update(changed)
        return [{"type": "lanes", **changed}] if changed else []

    def _veiled(self) -> list[str]:
        return lanes.veiled(self.principal, self.session_id)

    def _may_see(self, topic: str) -> bool:
        return logs.may_see(self.principal, topic)

    def _read(self) -> Any:
        session = sessions.find(self.principal, self.session_id)
        self.follow(session)
        self._drawing.read(session)
        shown = self._drawing.shown(session)
        if self._bookmarks is None:
            # A page that keeps one is opened anew by it.
            self._bookmarks = keeping.on_lanes(self.principal, session)
        shown["flags"] += self._bookmarks
        return shown
