"""What pages hear of approvals: how many wait, the rows of the inbox, and one card."""

from uuid import UUID

from django.utils import timezone

from aegis_project.database import read_db
from aegis_project.kit.principal import Principal
from sessions.admin import approval_card, approval_cells, approval_inbox
from sessions.admin.feeds import Changes, ChangingFeed, Feed, Frame, RowsFeed
from sessions.core.freshness import Known
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.selectors import situation
from sessions.selectors.situation import Course
from streaming import node
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


class InboxFeed(ChangingFeed):
    """What agents ask people, and how many decisions wait with whom, whenever that changes."""

    scope = "approvals:read"

    def wants(self, hint: Hint) -> bool:
        return hint.kind in KINDS

    async def parts(self) -> dict[str, str]:
        return await read_db(self._read)

    def _read(self) -> dict[str, str]:
        return approval_inbox.parts(self.principal)


class CardFeed(Feed):
    """One card: the parts of it that look different, and whether it is still to be decided."""

    scope = "approvals:read"

    def __init__(self, principal: Principal, *, approval_id: UUID) -> None:
        super().__init__(principal)
        self.approval_id = approval_id
        self._changes = Changes()
        self._is_first = True

    def wants(self, hint: Hint) -> bool:
        return hint.kind in KINDS

    async def turn(self) -> list[Frame]:
        row = await read_db(reading.read, self.principal, self.approval_id)
        known = await self._known(row) if row.is_open else None
        course = await self._course(row) if row.is_open else None
        changed = self._changes.of(await read_db(self._render, row, known, course))
        is_first, self._is_first = self._is_first, False
        if not (changed or is_first):
            return []
        told = {"id": str(self.approval_id), "is_open": row.is_open, "parts": changed}
        return [{"type": "approval", **told}]

    async def _known(self, row: Approval) -> Known | None:
        here, names = node.current(), situation.topics_of(row)
        if not names:
            return {}
        return await situation.newest(here.hub, row.session_id, names) if here else None

    async def _course(self, row: Approval) -> Course | None:
        here = node.current()
        return await situation.course(here.hub, row) if here else None

    def _render(self, row: Approval, known: Known | None, course: Course | None) -> dict[str, str]:
        now = timezone.now()
        return approval_card.parts(row, self.principal, known=known, course=course, now=now)
