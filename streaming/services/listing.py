"""Listing the fast topics, so that they can be seen where their records are not."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from aegis_project import database
from streaming.core.position import Position
from streaming.engines.base import Key
from streaming.models import Log
from streaming.models.log import LEDGER

Listed = tuple[Key, int, Position]
"""A topic, the first seq that can be read of it, and where it ends."""

SLICE = 500


def write(topics: Sequence[Listed]) -> None:
    """Write where these topics stood a moment ago; their truth stays in the process's memory."""
    for place in range(0, len(topics), SLICE):
        with database.atomic():
            _write(topics[place : place + SLICE])


def end(session_id: UUID, at: datetime) -> None:
    """Say since when nothing follows in the topics of a session; its ledger may go on."""
    with database.atomic():
        open_ = Log.objects.filter(session_id=session_id, ended_at=None)
        open_.exclude(name=LEDGER).update(ended_at=at)


def _write(topics: Sequence[Listed]) -> None:
    wanted = {session_id for (session_id, _), _, _ in topics}
    # A session may have been removed meanwhile; each one that is there has a ledger.
    ledgers = Log.objects.filter(name=LEDGER, session_id__in=wanted)
    there = {str(session_id) for session_id in ledgers.values_list("session_id", flat=True)}
    # What is recorded meanwhile has its truth there.
    recorded = Log.objects.filter(recorded=True, session_id__in=wanted)
    taped = {
        (str(session_id), name) for session_id, name in recorded.values_list("session", "name")
    }
    Log.objects.bulk_create(
        [_row(*topic) for topic in topics if topic[0][0] in there and topic[0] not in taped],
        update_conflicts=True,
        unique_fields=["session", "name"],
        update_fields=["epoch", "start", "head", "ck"],
    )


def _row(key: Key, start: int, end: Position) -> Log:
    session_id, name = key
    return Log(
        session_id=session_id,
        name=name,
        epoch=end.epoch,
        start=start,
        head=end.seq,
        ck=end.ck.hex(),
    )
