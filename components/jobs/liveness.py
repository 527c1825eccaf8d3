"""Judging the lost, from the rows."""

import asyncio

from django.conf import settings

from aegis_project.database import run_db
from components.services import liveness
from streaming.hints import Hint
from streaming.node import Node
from streaming.services import leases

# A job that did not end for so long could not have renewed a lease either.
AWAY_SECONDS = leases.LEASE_SECONDS - leases.RENEW_SECONDS


class Liveness:
    """Lose whom nobody holds any more, fail who did not come back."""

    name = "liveness"
    period_seconds = 1.0

    def __init__(self) -> None:
        self._judges_from: float | None = None
        self._done_at = 0.0

    def wants(self, hint: Hint) -> bool:
        return False

    async def run(self, node: Node) -> None:
        """Judge, once this process has given everybody time to find it."""
        now = asyncio.get_running_loop().time()
        if self._judges_from is None:
            self._judges_from = now + settings.ENVIRONMENT.settling_seconds
        elif now - self._done_at > AWAY_SECONDS:
            # This process or its database stood still, and so may everybody's leases have.
            self._judges_from = max(self._judges_from, now + leases.LEASE_SECONDS)
        if now >= self._judges_from:
            await run_db(liveness.lose_orphans, own=node.lease_id)
            await run_db(liveness.fail_overdue, grace_seconds=settings.ENVIRONMENT.grace_seconds)
        self._done_at = now
