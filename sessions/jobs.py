"""The periodic work of sessions."""

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from aegis_project import database
from aegis_project.database import read_db, run_db
from aegis_project.kit import principal
from aegis_project.kit.errors import AegisError
from aegis_project.prepared import Prepared
from components.models import Component
from sessions.core import keys
from sessions.core import lifecycle as lifecycle_core
from sessions.core.lifecycle import State
from sessions.files import folders
from sessions.models import Session
from sessions.selectors import approvals as reading
from sessions.selectors import idleness
from sessions.selectors import purging as purging_rules
from sessions.services import approvals, attachments, lifecycle, purging, uploads
from sessions.toolbox import servers
from streaming import hints
from streaming.node import Node
from streaming.services import listing

logger = logging.getLogger(__name__)

LATELY = timedelta(days=1)
MOST_FOLDERS = 5000
AT_ONCE = 10
"""Sessions of which something goes for good in one turn of the database."""
SYSTEM = principal.system("expiry").via("job")
RETENTION = principal.system("retention").via("job")


class Sweep:
    """Find what a missed event left: starts to settle, sessions to fail, sessions to end."""

    name = "sessions"
    period_seconds = 1.0

    async def run(self, node: Node) -> None:
        """Settle each session that needs it, end each that expired."""
        to_settle, to_end = await read_db(due)
        for session_id in to_settle:
            await _attempt(lifecycle.settle, session_id=session_id)
        for session_id in to_end:
            await _attempt(lifecycle.end, principal=SYSTEM, session=session_id, reason="expired")

    def wants(self, hint: hints.Hint) -> bool:
        return False


class Idle:
    """End the sessions that nobody uses any more, where they or the server say how long is long."""

    name = "idle"
    period_seconds = 30.0

    async def run(self, node: Node) -> None:
        """End each that is over."""
        for session_id in await read_db(unused):
            await _attempt(end_unused, session_id=session_id)

    def wants(self, hint: hints.Hint) -> bool:
        return False


class Deadlines:
    """End the approvals that nobody decided in time, whoever asked for them."""

    name = "deadlines"
    period_seconds = 1.0

    async def run(self, node: Node) -> None:
        """End each whose time is over, as its rule says."""
        for approval_id in await read_db(reading.due):
            await _attempt(approvals.expire, approval_id=approval_id)

    def wants(self, hint: hints.Hint) -> bool:
        return False


class Closing:
    """
    Let go of what nobody needs: topics of sessions closed some time ago, files that none took.

    What is recorded stays on the tape, and where each topic ended stays in its Log row.
    """

    name = "closing"
    period_seconds = 30.0

    def __init__(self, *, after_seconds: float = 600.0) -> None:
        self._after = timedelta(seconds=after_seconds)

    async def run(self, node: Node) -> None:
        """Let go of topics that nobody here follows any more, and of files without a message."""
        await run_db(attachments.forget_unused)
        await run_db(uploads.forget_abandoned)
        before = timezone.now() - self._after
        for session_id, at in await read_db(closed, node.hub.idle(), before):
            held = [one for one in node.hub.held() if one[0][0] == str(session_id)]
            await run_db(listing.write, held)
            await run_db(listing.end, session_id, at)
            await node.hub.forget(str(session_id))

    def wants(self, hint: hints.Hint) -> bool:
        return False


class Sandboxes:
    """Remove the empty folders of sessions that are over, where nobody was left to do it."""

    name = "sandboxes"
    period_seconds = 600.0

    async def run(self, node: Node) -> None:
        """Look at those that were closed lately."""
        await asyncio.to_thread(folders.remove_empty, await read_db(closed_lately))

    def wants(self, hint: hints.Hint) -> bool:
        return False


async def _attempt(call: Callable[..., object], **arguments: Any) -> None:
    try:
        await run_db(call, **arguments)
    except AegisError:
        # Somebody was faster; what is left shows at the next turn.
        return
    except Exception:  # one session must not keep the others waiting
        logger.exception("A session was not swept", extra={"action": "sweep_failed", **arguments})


def due() -> tuple[list[UUID], list[UUID]]:
    """The sessions to settle and the sessions to end now, each once."""
    return unsettled(), expired()


def unsettled() -> list[UUID]:
    """Sessions that start, or run with a component that is ready or failed and required."""
    return [pk for (pk,) in {*_starting(), *_running()}]


def expired() -> list[UUID]:
    """Open sessions whose time is over."""
    return [pk for (pk,) in _expired(now=timezone.now())]


def unused() -> list[UUID]:
    """Open sessions in which nothing was done for too long."""
    return idleness.over(now=timezone.now())


def end_unused(*, session_id: UUID) -> None:
    """End a session in which nothing was done for too long, if that is so under its lock, too."""
    with database.atomic():
        Session.objects.locked(session_id)
        if idleness.is_over(session_id, now=timezone.now()):
            lifecycle.end(principal=SYSTEM, session=session_id, reason="idle")


@Prepared
def _starting() -> QuerySet[Any, Any]:
    return Session.objects.starting().values_list("pk")


@Prepared
def _running() -> QuerySet[Any, Any]:
    moves = Component.objects.filter(state="ready") | Component.objects.filter(
        state="failed", required=True
    )
    running = Session.objects.present().filter(
        state=State.RUNNING.value, pk__in=moves.values("session_id")
    )
    return running.values_list("pk")


@Prepared
def _expired(now: datetime) -> QuerySet[Any, Any]:
    return Session.objects.open().filter(expires_at__lte=now).values_list("pk")


def closed_lately() -> list[UUID]:
    """The sessions that were closed since yesterday, the last ones first."""
    since = timezone.now() - LATELY
    rows = Session.objects.filter(state__in=lifecycle_core.CLOSED, state_changed_at__gte=since)
    return list(rows.order_by("-state_changed_at").values_list("pk", flat=True)[:MOST_FOLDERS])


def closed(session_ids: Collection[str], before: datetime) -> list[tuple[UUID, datetime]]:
    """Which of these sessions were closed or deleted before this moment, and when."""
    known = [key for key in session_ids if keys.as_uuid(key)]
    is_over = Q(state__in=lifecycle_core.CLOSED) | Q(deleted_at__lt=before)
    rows = Session.objects.filter(is_over, pk__in=known, state_changed_at__lt=before)
    return list(rows.values_list("pk", "state_changed_at"))


class Retention:
    """Let go for good of what is kept only for some days after a session is over."""

    name = "retention"
    period_seconds = 3600.0

    async def run(self, node: Node) -> None:
        """Remove what is older than the settings say."""
        for wish in purging_rules.by_settings():
            # Some at a time: others write in between.
            while gone := await run_db(
                purging.purge, principal=RETENTION, wish=wish, is_dry=False, most=AT_ONCE
            ):
                told = {"action": "purged", "what": wish.what.value, "sessions": len(gone)}
                logger.info("What was kept for long enough is gone", extra=told)

    def wants(self, hint: hints.Hint) -> bool:
        return False


class ToolServers:
    """Ask the servers of the extra ``mcp`` which tools they have."""

    name = "tool_servers"
    period_seconds = 60.0

    def wants(self, hint: hints.Hint) -> bool:
        return hint.kind == "tool_server"

    async def run(self, _node: Node) -> None:
        """Look at all of them again."""
        if servers.is_installed():
            await servers.refresh(await read_db(servers.active))
