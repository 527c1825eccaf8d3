"""Preparing, claiming and saving the clock of a historical session."""

import secrets
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import ValidationFailed
from sessions.core import source
from sessions.core.lifecycle import Mode
from sessions.core.source import Source
from sessions.models import Replay, Session
from streaming.core import position
from streaming.core.errors import TopicNotFound
from streaming.models import Log
from streaming.services.leases import LEASE_SECONDS
from streaming.sources import csv_layout
from streaming.sources.clock_range import ClockRange


def prepare(session: Session) -> Replay | None:
    """
    Note the source of a new historical session and mint its logs; None if it has no source.

    :raises ValidationFailed: for a source that is malformed or that no administrator named
    """
    described = session.config.get("source")
    if session.mode != Mode.HISTORICAL or described is None:
        return None
    found = source.read(described)
    names = found.topics or tuple(csv_layout.topics(root(found)))
    Log.objects.bulk_create(_log(session, name) for name in names)
    return Replay.objects.create(
        session=session,
        source=asdict(found) | {"topics": list(names)},
        range_from=found.range.from_ms,
        range_to=found.range.to_ms,
        speed=found.speed,
    )


def _log(session: Session, name: str) -> Log:
    epoch = secrets.token_hex(8)
    ck = position.genesis(name, epoch).hex()
    return Log(session=session, name=name, epoch=epoch, ck=ck)


def root(found: Source) -> Path:
    """
    The directory that an administrator named for this source.

    :raises ValidationFailed: if none has this name
    """
    directory: Path | None = settings.DATASETS.get(found.dataset)
    if directory is None:
        raise ValidationFailed(
            f"There is no dataset {found.dataset}.",
            dataset=found.dataset,
            known=sorted(settings.DATASETS),
        )
    return directory


def check_files(session: Session) -> None:
    """
    Refuse to start a historical session of which a topic has no file at all.

    :raises TopicNotFound: naming the first such topic
    """
    replay = Replay.objects.filter(session=session).first()
    if replay is None:
        return
    found = stored(replay)
    for name in found.topics:
        read = csv_layout.read_name(name)
        if read is None or not csv_layout.files(root(found), read):
            raise TopicNotFound(f"There is no file for {name}.", topic=name)


def stored(replay: Replay) -> Source:
    """The source as its row has it."""
    saved: dict[str, Any] = dict(replay.source)
    saved["range"] = ClockRange(**saved["range"])
    return Source(**(saved | {"topics": tuple(saved["topics"])}))


def claim(*, replay_id: UUID, lease_id: UUID) -> int | None:
    """
    Take the clock of a session for this process; the fence, or None when another holds it.

    Compare and set: of two processes that try, one changes the row.
    """
    now = timezone.now()
    is_free = Q(lease_id=lease_id) | Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
    with database.atomic():
        free = Replay.objects.filter(is_free, pk=replay_id, is_exhausted=False)
        taken = free.update(lease_id=lease_id, lease_expires_at=_term(), fence=F("fence") + 1)
        return Replay.objects.get(pk=replay_id).fence if taken else None


def save(*, replay_id: UUID, fence: int, **clock: Any) -> bool:
    """Save where the clock stands and keep the lease; False when it was lost to another."""
    with database.atomic():
        mine = Replay.objects.filter(pk=replay_id, fence=fence)
        return bool(mine.update(**clock, lease_expires_at=_term()))


def release(*, replay_id: UUID, fence: int, **clock: Any) -> bool:
    """Save where the clock stands and let any process take it."""
    with database.atomic():
        mine = Replay.objects.filter(pk=replay_id, fence=fence)
        return bool(mine.update(**clock, lease=None, lease_expires_at=None))


def _term() -> Any:
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)
