"""What a hub looks after by the clock: stuck connections, idle proofs, old records, other writers."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from streaming.core import frames
from streaming.core.errors import SlowConsumer, StoreDown
from streaming.engines.base import Engine
from streaming.hub.board import Board, Interest
from streaming.hub.connection import Connection
from streaming.hub.flushing import Flusher
from streaming.hub.limits import Limits
from streaming.hub.seats import Seats

logger = logging.getLogger(__name__)


class Keeper(Protocol):
    """The hub, as its rounds know it."""

    limits: Limits
    board: Board
    flusher: Flusher
    seats: Seats


async def go_round(hub: Keeper) -> None:
    """Look after everything, again and again."""
    time = asyncio.get_running_loop().time
    proofs_due = time() + hub.limits.idle_proof_seconds
    while True:
        await asyncio.sleep(hub.limits.look_seconds)
        now = time()
        is_proof_due = now >= proofs_due
        if is_proof_due:
            proofs_due = now + hub.limits.idle_proof_seconds
        hub.flusher.mark_moved(hub.board.lines.values())
        for connection in hub.seats:
            try:
                look_after(connection, is_proof_due=is_proof_due)
            except Exception:  # one connection must not stop the round
                logger.exception("A connection failed", extra={"action": "connection_failed"})
        if hub.board.is_away(hub.limits.away_seconds):
            turn_away(hub.seats)
        hub.board.tidy(unused_seconds=hub.limits.unused_seconds)


def turn_away(connections: Iterable[Connection]) -> None:
    """Close those who live by a store that has been away for too long."""
    for connection in connections:
        if not connection.seat.is_historical:
            connection.refuse(StoreDown())


def look_after(connection: Connection, *, is_proof_due: bool) -> None:
    """Cut what is stuck, end what had its time, prove idleness; else send what was forgotten."""
    now, limits = connection.loop.time(), connection.owner.limits
    if not connection.is_free and now - connection.since >= limits.stuck_seconds:
        connection.cut(SlowConsumer())
    elif connection.closing is not None and now >= connection.deadline:
        connection.cut_short()
    elif connection.is_free:
        connection.pump()
        if is_proof_due and connection.seat.extended:
            prove_idle(connection)


def prove_idle(connection: Connection) -> None:
    """Tell where the heads are to a connection that has had nothing since the last time."""
    if connection.is_quiet and connection.is_open:
        heads = {
            one.line.alias: (one.next - 1, one.ck)
            for one in connection.subscriptions.values()
            if one.is_live and one.ck is not None and one.next == one.line.log.head + 1
        }
        if heads:
            connection.post(frames.pos(heads))
    connection.is_quiet = True


async def watch(hub: Keeper, engine: Engine) -> None:
    """Follow what is written to an engine outside this hub."""
    keys = Interest(hub.board, engine, wide=hub.seats.wide_sessions)
    while True:
        try:
            for key in await engine.wait(keys, hub.limits.look_seconds):
                if key[1]:
                    hub.flusher.mark(await hub.board.line(key))
        except Exception:  # the store may be away; the next look finds it back
            logger.exception("A store cannot be read", extra={"action": "store_unreadable"})
            await asyncio.sleep(hub.limits.look_seconds)
