"""Delivering the topics of a historical source in the order of their common clock."""

from typing import TYPE_CHECKING

from streaming.engines.base import FRAME_RECORDS
from streaming.hub import delivery
from streaming.hub.subscription import Subscription

if TYPE_CHECKING:
    from streaming.hub.connection import Connection

Turn = tuple[int, Subscription]
"""The place in the clock order of the next record of a subscription."""


async def merge(connection: "Connection") -> None:
    """
    Deliver every record that the clock has reached, the smallest ``n`` first.

    A frame ends where the next record of another topic comes. The heads are looked at once
    for all topics, so that a clock that moves on meanwhile cannot let one topic run ahead.
    """
    for _ in range(connection.owner.limits.turn_frames):
        heads = {one: one.goal for one in _ordered(connection)}
        turns = await _turns(heads)
        if not turns:
            return
        subscription, below_n = turns[0][1], turns[1][0] if len(turns) > 1 else None
        limit = min(FRAME_RECORDS, heads[subscription] - subscription.next + 1)
        if not await delivery.deliver_up_to(connection, subscription, limit=limit, below_n=below_n):
            return
    connection.owner.again(connection)


def _ordered(connection: "Connection") -> list[Subscription]:
    return [
        one for one in connection.subscriptions.values() if one.line.log.is_ordered and one.is_live
    ]


async def _turns(heads: dict[Subscription, int]) -> list[Turn]:
    turns = []
    for subscription, head in heads.items():
        if subscription.next > head:
            continue
        if subscription.n is None:
            subscription.n = await subscription.line.log.n_of(subscription.next)
        if subscription.n is not None:
            turns.append((subscription.n, subscription))
    return sorted(turns, key=lambda turn: turn[0])
