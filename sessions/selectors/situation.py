"""What is known now of the topics that a decision rests on."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import orjson
from django.db import connection

from aegis_project.kit.errors import AegisError
from sessions.core import freshness
from sessions.core.course import Measured, Point, beside, measured, points
from sessions.core.freshness import Guard, Known, Moved
from sessions.models import Approval
from streaming import node
from streaming.core import topics
from streaming.hub import Hub

MOST_BYTES = 16_384
MOST_TOPICS = 20
MOST_RECORDS, MOST_FRAMES = 1200, 8
BEFORE_MS = 90_000


class Course(NamedTuple):
    """Which number it is and its points in the order of time, and those of one beside it."""

    measured: Measured
    points: list[Point]
    beside: Measured | None = None
    beside_points: Sequence[Point] = ()


async def newest(hub: Hub, session_id: object, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """
    The newest record of each topic: {topic: {value, ts, seq}}; those that have none are left out.

    A value that is larger than 16 KiB is left out as well, its time is not.
    """
    found = {}
    for name in list(names)[:MOST_TOPICS]:
        if topics.NAME.match(name) and not topics.is_reserved(name):
            known = await _newest(hub, (str(session_id), name))
            if known is not None:
                found[name] = known
    return found


async def _newest(hub: Hub, key: tuple[str, str]) -> dict[str, Any] | None:
    try:
        start, head = await hub.bounds(key)
        cut = await hub.read(key, head.seq - 1, 1) if head.seq >= start else None
    except AegisError:
        return None
    if cut is None or not cut.data:
        return None
    data = cut.data[-1]
    value = orjson.loads(data) if len(data) <= MOST_BYTES else None
    return {"value": value, "ts": cut.ts[-1], "seq": cut.last}


def now(approval: Approval) -> Known | None:
    """
    What is known now of an approval's topics, in an edge's own thread; None where no server runs.

    The thread holds no database connection while it asks, but inside of a transaction.
    """
    names = topics_of(approval)
    here = node.current()
    if not names:
        return {}
    if here is None:
        return None
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        connection.close()
    return here.call(newest(here.hub, approval.session_id, names))


async def course(hub: Hub, approval: Approval) -> Course | None:
    """
    How the number went that the decision rests on: from before it was asked until now.

    None where nothing is pinned that is a number, and of what is decided.
    """
    found = measured(
        _guards(approval), arguments=approval.tool_call.arguments, then=approval.evidence
    )
    if found is None or not approval.is_open:
        return None
    since = int(approval.requested_at.timestamp() * 1000) - BEFORE_MS
    records = await _since(hub, (str(approval.session_id), found.topic), since)
    shown = points(records, found.path, read=orjson.loads)
    other = beside(found, then=approval.evidence)
    if other is None:
        return Course(found, shown)
    if other.topic != found.topic:
        records = await _since(hub, (str(approval.session_id), other.topic), since)
    return Course(found, shown, other, points(records, other.path, read=orjson.loads))


def course_now(approval: Approval) -> Course | None:
    """The same in an edge's own thread; None where no server runs."""
    here = node.current()
    if here is None:
        return None
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        connection.close()
    return here.call(course(here.hub, approval))


async def _since(hub: Hub, key: tuple[str, str], since: int) -> list[tuple[int, bytes]]:
    """The newest records that are no older, as far as a few frames hold them."""
    try:
        start, head = await hub.bounds(key)
        after, found = max(start - 1, head.seq - MOST_RECORDS), []
        for _ in range(MOST_FRAMES):
            cut = await hub.read(key, after, MOST_RECORDS) if after < head.seq else None
            if cut is None or not cut.data:
                break
            found += [one for one in zip(cut.ts, cut.data, strict=True) if one[0] >= since]
            after = cut.last
    except AegisError:
        return []
    return found


def topics_of(approval: Approval) -> list[str]:
    """The topics whose newest values were pinned, and those that guards speak of."""
    guards = (guard.topic for guard in _guards(approval))
    named = freshness.topics(guards, approval.tool_call.arguments)
    return list(dict.fromkeys([*approval.evidence, *named]))


def moved(approval: Approval, known: Known | None) -> list[Moved] | None:
    """What moved too far since it was asked; None where that cannot be told."""
    guards = _guards(approval)
    if not guards:
        return []
    if known is None:
        return None
    return freshness.moved(
        guards,
        arguments=approval.tool_call.arguments,
        then=approval.evidence,
        now=known,
        times=(int(approval.requested_at.timestamp() * 1000), time.time_ns() // 1_000_000),
    )


def _guards(approval: Approval) -> list[Guard]:
    return msgspec.convert(approval.freshness, list[Guard])
