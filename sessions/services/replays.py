"""Preparing, claiming and saving the clock of a historical session."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from aegis_project import database
from sessions.core import source as described
from sessions.core.lifecycle import Mode, State
from sessions.models import Replay, Session
from streaming.core import position
from streaming.core.errors import TopicNotFound
from streaming.models import Log
from streaming.services.leases import LEASE_SECONDS
from streaming.sources.source import Source, SourceSpec, open_source, read_spec


@dataclass(frozen=True, slots=True)
class Claimed:
    """A clock that this process may move, with all it needs for that."""

    replay_id: UUID
    session_id: UUID
    fence: int
    speed: float
    n: int


@dataclass(frozen=True, slots=True)
class Place:
    """What a view of a session is opened with: the files, the epochs, and where the clock is."""

    source: Source
    epochs: dict[str, str]
    n: int
    checkpoint: Any


def prepare(session: Session) -> Replay | None:
    """
    Note the source of a new historical session; None if it has none.

    Its topics are known from now on, as far as they have files already.

    :raises ValidationFailed: for a source that is malformed or that no administrator named
    :raises TopicNotFound: for a topic that files of this layout cannot have
    """
    config = session.config.get("source")
    if session.mode != Mode.HISTORICAL or config is None:
        return None
    config = described.read(config)
    speed = described.read_speed(config)
    found = spec(config)
    replay = Replay.objects.create(
        session=session,
        source=config,
        range_from=found.range.from_ms,
        range_to=found.range.to_ms,
        speed=speed,
    )
    try:
        mint(replay)
    except TopicNotFound:
        # Files may still come; without them it is the start that is refused.
        return replay
    return replay


def spec(config: dict[str, Any]) -> SourceSpec:
    """
    What a source reads.

    :raises ValidationFailed: for a source that is malformed or that no administrator named
    """
    return read_spec(config, datasets=settings.DATASETS)


def mint(replay: Replay) -> Source:
    """
    Find the files and give each topic that has none yet its log and epoch.

    From then on the source has these topics and no others, whatever files come later.

    :raises TopicNotFound: naming the topic that has no file at all
    """
    source = open_source(spec(replay.source))
    replay.source["topics"] = [topic.topic for topic in source.topics]
    replay.save(update_fields=["source"])
    for topic in source.topics:
        epoch = secrets.token_hex(8)
        ck = position.genesis(topic.topic, epoch).hex()
        Log.objects.get_or_create(
            session_id=replay.session_id, name=topic.topic, defaults={"epoch": epoch, "ck": ck}
        )
    return source


def check_files(session: Session) -> None:
    """
    Refuse to start a historical session of which a topic has no file at all.

    :raises TopicNotFound: naming that topic
    """
    replay = Replay.objects.filter(session=session).first()
    if replay is not None:
        mint(replay)


def place(session_id: UUID | str) -> Place | None:
    """
    Where a session's clock stands, or None for a session without a source.

    :raises TopicNotFound: naming the topic that has no file any more
    """
    replay = Replay.objects.filter(session_id=session_id).first()
    if replay is None:
        return None
    source = open_source(spec(replay.source))
    names = [topic.topic for topic in source.topics]
    rows = Log.objects.filter(session_id=session_id, name__in=names)
    epochs = dict(rows.values_list("name", "epoch"))
    return Place(source, epochs, replay.n, replay.checkpoint or None)


def due() -> list[UUID]:
    """Replays whose sessions run and whose clock has not come to the end."""
    rows = Replay.objects.filter(
        session__state=State.RUNNING.value, session__deleted_at=None, is_exhausted=False
    )
    return list(rows.values_list("pk", flat=True))


def claim(*, replay_id: UUID, lease_id: UUID) -> Claimed | None:
    """
    Take the clock of a session for this process; None when another process holds it.

    One that is gone holds it as long as its own lease, by which it holds its components too.
    """
    now = timezone.now()
    with database.atomic():
        rows = Replay.objects.select_for_update(of=("self",)).select_related("lease")
        row = rows.filter(pk=replay_id, is_exhausted=False).first()
        if row is None or not _is_free(row, lease_id, now):
            return None
        row.lease_id, row.lease_expires_at = lease_id, _term(now)
        row.fence += 1
        row.save(update_fields=["lease", "lease_expires_at", "fence", "updated_at"])
    return Claimed(row.pk, row.session_id, row.fence, row.speed, row.n)


def _is_free(row: Replay, lease_id: UUID, now: datetime) -> bool:
    return row.lease is None or row.lease.pk == lease_id or row.lease.expires_at < now


def save(*, replay_id: UUID, fence: int, **clock: Any) -> bool:
    """Save where the clock stands and keep the lease; False when it was lost to another."""
    term = _term(timezone.now())
    with database.atomic():
        mine = Replay.objects.filter(pk=replay_id, fence=fence)
        return bool(mine.update(**clock, lease_expires_at=term))


def release(*, replay_id: UUID, fence: int, **clock: Any) -> bool:
    """Save where the clock stands and let any process take it."""
    with database.atomic():
        mine = Replay.objects.filter(pk=replay_id, fence=fence)
        return bool(mine.update(**clock, lease=None, lease_expires_at=None))


def _term(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_SECONDS)
