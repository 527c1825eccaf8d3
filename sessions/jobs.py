"""The periodic work of sessions."""

from uuid import UUID

from django.utils import timezone

from aegis_project.database import read_db, run_db
from aegis_project.kit import principal
from components.models import Component
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import lifecycle
from streaming import hints
from streaming.node import Node

SYSTEM = principal.system("expiry").via("job")


class Sweep:
    """Find what a missed event left: starts to settle, sessions to fail, sessions to end."""

    name = "sessions"
    period_seconds = 1.0

    async def run(self, node: Node) -> None:
        """Settle each session that needs it, end each that expired."""
        for session_id in await read_db(unsettled):
            await run_db(lifecycle.settle, session_id=session_id)
        for session_id in await read_db(expired):
            await run_db(lifecycle.end, principal=SYSTEM, session=session_id, reason="expired")

    def wants(self, hint: hints.Hint) -> bool:
        return False


def unsettled() -> list[UUID]:
    """Sessions that start, or run with a component that is ready or failed and required."""
    moves = Component.objects.filter(state="ready") | Component.objects.filter(
        state="failed", required=True
    )
    running = Session.objects.present().filter(
        state=State.RUNNING.value, pk__in=moves.values("session_id")
    )
    starting = Session.objects.starting().values_list("pk", flat=True)
    return list({*starting, *running.values_list("pk", flat=True)})


def expired() -> list[UUID]:
    """Open sessions whose time is over."""
    rows = Session.objects.open().filter(expires_at__lte=timezone.now())
    return list(rows.values_list("pk", flat=True))
