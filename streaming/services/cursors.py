"""Keeping how far components say that they have processed their topics."""

from collections.abc import Collection, Mapping, Sequence

from django.utils import timezone

from aegis_project import database
from streaming.core.position import Position
from streaming.engines.base import Key
from streaming.models import Cursor, Log
from streaming.models.log import LEDGER

Committed = tuple[str, Key, Position]
"""A component's id, a topic, and the place up to which it has processed it."""

SLICE = 500


def store(commits: Sequence[Committed]) -> None:
    """Write the last word of each component about each topic, in a few statements."""
    for place in range(0, len(commits), SLICE):
        with database.atomic():
            _store(commits[place : place + SLICE])


def _store(commits: Sequence[Committed]) -> None:
    logs = _logs({key: position for _, key, position in commits})
    # A component or session may have been removed meanwhile.
    components = Cursor._meta.get_field("component").remote_field.model._default_manager
    there = {
        str(pk)
        for pk in components.filter(pk__in={one for one, _, _ in commits}).values_list(
            "pk", flat=True
        )
    }
    now = timezone.now()
    Cursor.objects.bulk_create(
        [
            Cursor(
                component_id=component_id,
                log_id=logs[key],
                epoch=position.epoch,
                seq=position.seq,
                ck=position.ck.hex(),
                updated_at=now,
            )
            for component_id, key, position in commits
            if component_id in there and key in logs
        ],
        update_conflicts=True,
        unique_fields=["component", "log"],
        update_fields=["epoch", "seq", "ck", "updated_at"],
    )


def _logs(ends: Mapping[Key, Position]) -> dict[Key, int]:
    found = _known(ends)
    missing = ends.keys() - found.keys()
    if missing:
        # Committed before it was listed; the listing tells the rest.
        ledgers = Log.objects.filter(name=LEDGER, session_id__in={key[0] for key in missing})
        there = {str(session_id) for session_id in ledgers.values_list("session_id", flat=True)}
        Log.objects.bulk_create(
            [_row(key, ends[key]) for key in missing if key[0] in there], ignore_conflicts=True
        )
        found |= _known(missing)
    return found


def _known(keys: Collection[Key]) -> dict[Key, int]:
    # Wider than asked (every session with every name), and one query.
    rows = Log.objects.filter(
        session_id__in={session_id for session_id, _ in keys}, name__in={name for _, name in keys}
    )
    found = rows.values_list("session_id", "name", "pk")
    return {(str(session_id), name): pk for session_id, name, pk in found}


def _row(key: Key, end: Position) -> Log:
    session_id, name = key
    return Log(session_id=session_id, name=name, epoch=end.epoch, head=end.seq, ck=end.ck.hex())
