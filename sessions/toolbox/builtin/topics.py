"""Tools that read and publish topics."""

import time
from typing import Annotated, Any

import orjson
from pydantic import Field

from aegis_project.kit.errors import ValidationFailed
from sessions.core.errors import SessionNotFound
from sessions.core.tool_calls import Risk
from sessions.models import Session
from sessions.toolbox.define import tool
from sessions.toolbox.ground import Ground
from streaming import node
from streaming.core import resume, topics
from streaming.core.errors import SessionOver
from streaming.engines.base import Key, Slice
from streaming.hub import Hub, checking
from streaming.selectors import logs

MOST_RECORDS = 200
MOST_BYTES = 128 * 1024
LONGEST_TIME = 2**53

Topic = Annotated[str, Field(min_length=1, max_length=200, description="Its name.")]
Instant = Annotated[int, Field(ge=0, le=LONGEST_TIME, description="Unix milliseconds.")]


@tool(risk=Risk.SAFE, is_idempotent=True, source="builtin")
async def list_topics(ground: Ground) -> Any:
    """List the topics of this session: names, how many records each has, when the last one came."""
    rows = await ground.read(logs.of_session, ground.principal, ground.session_id)
    here = await node.required().ask(_figures(ground.call.session_id))
    found = {row.name: {"name": row.name, "records": row.head} for row in rows}
    for one in here:
        if logs.may_see(ground.principal, one.name):
            found[one.name] = {"name": one.name, "records": one.head, "last_ts": one.last_ts}
    hidden = {topics.LEDGER}
    return [
        found[name] for name in sorted(found) if name not in hidden and not name.startswith("runs.")
    ]


async def _figures(session_id: str) -> Any:
    return node.required().hub.topics(session_id)


@tool(risk=Risk.SAFE, is_idempotent=True, source="builtin", evidence=("{topic}",))
async def read_topic(
    ground: Ground,
    topic: Topic,
    newest: Annotated[
        int, Field(ge=1, le=MOST_RECORDS, description="How many records, the last ones.")
    ] = 20,
    since: Annotated[Instant | None, Field(description="Instead: those from this time on.")] = None,
    until: Annotated[Instant | None, Field(description="With since: those up to it.")] = None,
) -> Any:
    """
    Read records of a topic of this session: the newest ones, or those of a range of time.

    A range shows at most as many records as `newest` says, from its beginning; `has_more` tells
    that there are others in it.
    """
    logs.check_readable(ground.principal, topic)
    if until is not None and since is None:
        raise ValidationFailed("until needs since.", fields=["until"])
    key = (ground.call.session_id, topic)
    start = f"latest-{newest}" if since is None else f"time:{since}"
    reading = _read(node.required().hub, key, resume.parse_start(start), newest, until)
    return await node.required().ask(reading)


async def _read(
    hub: Hub, key: Key, start: resume.Start, most: int, until: int | None
) -> dict[str, Any]:
    placed = await hub.place(key, start)
    _, head = await hub.bounds(key)
    found: list[dict[str, Any]] = []
    after, size, is_whole = placed.next - 1, 0, True
    while is_whole and after < head.seq and len(found) < most:
        cut = await hub.read(key, after, most - len(found))
        if cut is None:
            break
        for row, length in _rows(cut):
            if until is not None and row["ts"] > until:
                return _shown(key, found, head.seq, has_more=False)
            size += length
            is_whole = size <= MOST_BYTES or not found
            if not is_whole:
                break
            found.append(row)
            after = row["seq"]
    return _shown(key, found, head.seq, has_more=after < head.seq)


def _rows(cut: Slice) -> list[tuple[dict[str, Any], int]]:
    rows = enumerate(zip(cut.ts, cut.data, strict=True), cut.first)
    return [
        ({"seq": seq, "ts": ts, "data": orjson.loads(data)}, len(data)) for seq, (ts, data) in rows
    ]


def _shown(key: Key, found: list[dict[str, Any]], head: int, *, has_more: bool) -> dict[str, Any]:
    return {"topic": key[1], "head": head, "records": found, "has_more": has_more}


@tool(risk=Risk.MEDIUM, is_idempotent=True, source="builtin", evidence=("{topic}",))
async def publish(
    ground: Ground,
    topic: Topic,
    data: Annotated[Any, Field(description="Any JSON value.")],
) -> Any:
    """Publish one record into a topic of this session, for everybody who follows it."""
    principal = ground.principal
    principal.require("topics:publish")
    topics.check_publishable(topic, logs.patterns(principal))
    await ground.read(_check_open, ground)
    key, record = (ground.call.session_id, topic), (_now(), orjson.dumps(data))
    # Told again by the same call, it is published once.
    producer = (f"call:{ground.call.effect_key}", 1, 1)
    here = node.required()
    offered = await here.ask(checking.offer(here.hub, key, [record], producer, by=principal.actor))
    return {"topic": offered.topic, "position": str(offered.position)}


def _check_open(ground: Ground) -> None:
    row = Session.objects.present().filter(pk=ground.session_id).first()
    if row is None:
        raise SessionNotFound(session=ground.call.session_id)
    if not row.is_open:
        raise SessionOver(session=row.key, state=row.state)


def _now() -> int:
    return time.time_ns() // 1_000_000


TOOLS = (list_topics, read_topic, publish)
