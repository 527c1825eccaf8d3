"""What pages hear of approvals: how many wait, and the rows of the inbox."""

from django.utils import timezone

from aegis_project.database import read_db
from aegis_project.kit.principal import Principal
from sessions.admin import approval_cells
from sessions.admin.feeds import Feed, Frame, RowsFeed
from sessions.selectors import approvals as reading
from streaming.hints import Hint

KINDS = frozenset({"lever", "moved"})


class WaitingFeed(Feed):
    """How many decisions wait, whenever that changes; every page shows it."""

    scope = "approvals:read"

    def __init__(self, principal: Principal) -> None:
        super().__init__(principal)
        self._count = -1

    def wants(self, hint: Hint) -> bool:
        return hint.kind in KINDS

    async def turn(self) -> list[Frame]:
        before, self._count = self._count, await read_db(reading.waiting, self.principal)
        return [] if self._count == before else [{"type": "waiting", "count": self._count}]


class ApprovalsFeed(RowsFeed):
    """Rows of the inbox; what is decided stays where it is and says how."""

    scope = "approvals:read"
    kinds = KINDS

    def wants(self, hint: Hint) -> bool:
        return hint.kind in KINDS

    def _read(self, heard: frozenset[str]) -> tuple[dict[str, dict[str, str]], set[str]]:
        now, seen = timezone.now(), reading.visible(self.principal)
        rows = {
            str(row.pk): approval_cells.cells(row, now=now) for row in seen.filter(pk__in=self.ids)
        }
        waiting = seen.filter(state=reading.PENDING, requested_at__gte=self.since)
        new = waiting.exclude(pk__in=self.ids | self._counted)[: reading.MOST_COUNTED]
        return rows, {str(pk) for pk in new.values_list("pk", flat=True)}
