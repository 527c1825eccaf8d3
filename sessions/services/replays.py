"""What a historical session replays: its source, its range, and the logs of its topics."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import source as described
from sessions.core.errors import SessionNotFound
from sessions.core.lifecycle import Mode
from sessions.models import Replay, Session
from sessions.selectors import sessions
from streaming.core import position
from streaming.core.errors import TopicNotFound
from streaming.models import Log
from streaming.sources.clock_range import Instant
from streaming.sources.source import (
    RECORDING,
    Inventory,
    Source,
    SourceSpec,
    look,
    open_source,
    read_spec,
)
from streaming.sources.tape_reader import open_tape


@dataclass(frozen=True, slots=True)
class Place:
    """What a view of a session is opened with: the files, the epochs, and where the clock is."""

    source: Source
    epochs: dict[str, str]
    n: int
    checkpoint: Any
    base: Any
    generation: int


def prepare(session: Session, *, principal: Principal) -> Replay | None:
    """
    Note the source of a new historical session; None if it has none.

    Its topics are known from now on, as far as they have files already.

    :raises ValidationFailed: for a source that is malformed or that no administrator named
    :raises TopicNotFound: for a topic that files of this layout cannot have
    :raises SessionNotFound: for a recorded session that is not there for the principal, or is
        another team's
    """
    config = session.config.get("source")
    if session.mode != Mode.HISTORICAL or config is None:
        return None
    config = described.read(config)
    if config.get("layout") == RECORDING:
        config["session"] = _recorded(principal, session, config.get("session"))
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


def _recorded(principal: Principal, session: Session, reference: Any) -> str:
    found = sessions.find(principal, str(reference or ""))
    if found.team_id != session.team_id:
        raise SessionNotFound(session=str(reference))
    return str(found.pk)


def find_topics(config: dict[str, Any]) -> Source:
    """
    The topics of a source, each ready to be read.

    :raises ValidationFailed: for a source that is malformed or that no administrator named
    :raises TopicNotFound: naming the topic that has no file, or no record, at all
    """
    found = spec(config)
    return open_tape(found) if found.layout == RECORDING else open_source(found)


def inventory(config: dict[str, Any]) -> Inventory | None:
    """What files of a source are there; None of a recording, which has none."""
    try:
        found = spec(config)
    except ValidationFailed:
        # Its dataset is no more one of this server.
        return Inventory(0, list(config.get("topics", [])))
    return None if found.layout == RECORDING else look(found)


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
    source = find_topics(replay.source)
    names = [topic.topic for topic in source.topics]
    replay.source["topics"] = names
    replay.save(update_fields=["source"])
    known = Log.objects.filter(session_id=replay.session_id, name__in=names)
    for name in sorted(set(names) - set(known.values_list("name", flat=True))):
        Log.objects.create(session_id=replay.session_id, name=name, **_beginning(name))
    return source


def mint_anew(session_id: UUID, epochs: Iterable[tuple[str, str]]) -> None:
    """Let the logs of topics begin in new epochs; in the order of their names."""
    for name, epoch in sorted(epochs):
        rows = Log.objects.filter(session_id=session_id, name=name)
        rows.update(**_beginning(name, epoch), start=1, head=0, ended_at=None)


def _beginning(name: str, epoch: str = "") -> dict[str, str]:
    epoch = epoch or new_epoch()
    return {"epoch": epoch, "ck": position.genesis(name, epoch).hex()}


def new_epoch() -> str:
    """An epoch that was never used: 16 hex digits."""
    return secrets.token_hex(8)


def check_files(session: Session) -> None:
    """
    Refuse to start a historical session of which a topic has no file at all.

    :raises TopicNotFound: naming that topic
    """
    replay = Replay.objects.filter(session=session).first()
    if replay is not None:
        mint(replay)


def restart(session: Session, *, from_: Instant | None, to: Instant | None) -> None:
    """
    Let the source of a session begin anew, over another range if one is given.

    The session is locked. A driver that still moves the old clock can save it no more.

    :raises ValidationFailed: for a range that cannot be, or that there is no source for
    :raises TopicNotFound: naming the topic that has no file at all
    """
    row = Replay.objects.select_for_update(of=("self",)).filter(session=session).first()
    if row is None:
        if from_ is not None or to is not None:
            raise ValidationFailed("This session has no source that a range could be of.")
        return
    ends = {name: end for name, end in (("from", from_), ("to", to)) if end is not None}
    row.source = {**row.source, **ends}
    found = spec(row.source).range
    row.range_from, row.range_to = found.from_ms, found.to_ms
    _rewind(row)
    row.save()
    mint_anew(session.pk, [(topic.topic, new_epoch()) for topic in mint(row).topics])
    describe(session, **ends)


def _rewind(row: Replay) -> None:
    row.n, row.clock, row.bad_rows = 0, None, 0
    row.achieved = None
    row.checkpoint, row.base = {}, {}
    row.seek_to, row.steps, row.is_exhausted = None, None, False
    row.generation += 1
    row.fence += 1


def refuse_other_source(session: Session, config: dict[str, Any]) -> None:
    """
    Let a change of a session leave what it replays alone: its commands change that.

    :raises ValidationFailed: when the source is another one, or gone
    """
    if session.mode == Mode.HISTORICAL and config.get("source") != session.config.get("source"):
        raise ValidationFailed(
            "The source of a session does not change; restart and speed change its range and pace.",
            field="config.source",
        )


def run_on(session: Session) -> None:
    """Whoever starts a session that goes by steps lets it run on."""
    going = Replay.objects.filter(session=session, steps__isnull=False)
    going.update(steps=None, fence=F("fence") + 1)


def describe(session: Session, **fields: Any) -> None:
    """Let ``config.source`` of a locked session say, in memory, what holds from now on."""
    if fields:
        source = {**session.config.get("source", {}), **fields}
        session.config = {**session.config, "source": source}


def place(session_id: UUID | str) -> Place | None:
    """
    Where a session's clock stands, or None for a session without a source.

    :raises TopicNotFound: naming the topic that has no file any more
    """
    # One statement: a clock that is set meanwhile has other epochs before it or behind it.
    logs = Log.objects.filter(session_id=session_id, session__replay__isnull=False)
    rows = list(logs.select_related("session__replay").order_by("name"))
    if not rows:
        return None
    replay: Replay = rows[0].session.replay
    source = find_topics(replay.source)
    names = {topic.topic for topic in source.topics}
    return Place(
        source,
        {row.name: row.epoch for row in rows if row.name in names},
        replay.n,
        replay.checkpoint or None,
        replay.base or None,
        replay.generation,
    )
