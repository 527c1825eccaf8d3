"""Delivering the topics of a historical source in the order of their common clock."""

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from streaming.engines.base import FRAME_RECORDS
from streaming.hub import delivery, skipping
from streaming.hub.subscription import Subscription

if TYPE_CHECKING:
    from streaming.hub.connection import Connection

Turn = tuple[int, int, Subscription]
"""The place in the clock order of a subscription's next record, and the last seq it may have."""


async def merge(connection: "Connection") -> None:
    """
    Deliver every record that the clock has reached, the smallest ``n`` first.

    A frame ends where the next record of another topic comes. The heads are looked at once
    for all topics, so that a clock that moves on meanwhile cannot let one topic run ahead.
    """
    turns: list[Turn] = []
    for _ in range(connection.owner.limits.turn_frames):
        # While a store is waited for, topics may come, go, or be placed anew.
        if not turns or connection.feeding is not None:
            turns = await _turns(connection)
        if not turns:
            return
        _, head, subscription = heappop(turns)
        below_n = turns[0][0] if turns else None
        limit = min(FRAME_RECORDS, head - subscription.next + 1)
        if not await delivery.deliver_up_to(connection, subscription, limit=limit, below_n=below_n):
            return
        await _queue(turns, subscription, head)
    connection.owner.again(connection)


async def _turns(connection: "Connection") -> list[Turn]:
    heads = {
        one: one.goal
        for one in connection.subscriptions.values()
        if one.line.log.is_ordered and one.is_live
    }
    turns: list[Turn] = []
    for subscription, head in heads.items():
        await _queue(turns, subscription, head)
    return turns


async def _queue(turns: list[Turn], subscription: Subscription, head: int) -> None:
    if subscription.next < subscription.line.log.start:
        # The clock was set on: what it passed over is told and does not come.
        await skipping.skip(subscription.connection, subscription)
    if subscription.next > head:
        return
    if subscription.n is None:
        subscription.n = await subscription.line.log.n_of(subscription.next)
    if subscription.n is not None:
        heappush(turns, (subscription.n, head, subscription))
