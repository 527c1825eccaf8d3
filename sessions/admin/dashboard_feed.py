"""What the dashboard hears while it is open."""

from aegis_project.database import read_db
from sessions.admin import dashboard
from sessions.admin.feeds import ChangingFeed
from sessions.selectors.dashboard import running
from streaming.hints import Hint

KINDS = frozenset({"ledger", "lever", "component", "moved"})


class DashboardFeed(ChangingFeed):
    """The sections of the dashboard that look different."""

    def wants(self, hint: Hint) -> bool:
        return hint.kind in KINDS

    async def parts(self) -> dict[str, str]:
        found = await read_db(running, self.principal)
        seen = dashboard.look(found)
        return await read_db(dashboard.parts, self.principal, found, seen)
