"""What the dashboard hears while it is open."""

from aegis_project.database import read_db
from aegis_project.kit.principal import Principal
from sessions.admin import dashboard
from sessions.admin.feeds import Changes, Feed, Frame
from sessions.selectors.dashboard import running
from streaming.hints import Hint

KINDS = frozenset({"ledger", "lever", "component", "moved"})


class DashboardFeed(Feed):
    """The sections of the dashboard that look different."""

    scope = "sessions:read"

    def __init__(self, principal: Principal) -> None:
        super().__init__(principal)
        self._changes = Changes()
        self._is_first = True

    def wants(self, hint: Hint) -> bool:
        return hint.kind in KINDS

    async def turn(self) -> list[Frame]:
        found = await read_db(running, self.principal)
        seen = dashboard.look(found)
        changed = self._changes.of(await read_db(dashboard.parts, self.principal, found, seen))
        is_first, self._is_first = self._is_first, False
        return [{"type": "parts", "parts": changed}] if changed or is_first else []
