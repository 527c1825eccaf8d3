"""Telling the END of a subscription, after its last record."""

from typing import TYPE_CHECKING

from streaming.core import frames
from streaming.core.position import Position
from streaming.core.resume import Gap, Placement
from streaming.hub import delivery
from streaming.hub.subscription import Ending, Subscription

if TYPE_CHECKING:
    from streaming.hub.connection import Connection


def conclude(connection: "Connection", subscription: Subscription) -> bool:
    """Tell the END of a subscription once nothing is left before it."""
    ending = subscription.ending
    if ending is None:
        return True
    where = ending.position
    if subscription.next <= where.seq:
        if connection.is_open and not subscription.is_paused:
            return True
        if not ending.final:
            # It goes on from here another day; what it has not seen is not lost.
            ck = subscription.ck or where.ck
            where = Position(subscription.epoch, subscription.next - 1, ck)
        elif not give_up(connection, subscription, ending):
            return False
    return _end(connection, subscription, Ending(where, ending.reason, ending.final))


def give_up(connection: "Connection", subscription: Subscription, ending: Ending) -> bool:
    """Tell exactly what will not be delivered before the END any more."""
    last = ending.position
    gap = Gap(subscription.next, last.seq, "cut")
    delivery.tell(connection, subscription, Placement(last.seq + 1, last.ck, gap))
    return connection.is_free


def _end(connection: "Connection", subscription: Subscription, ending: Ending) -> bool:
    line = subscription.line
    subscription.is_ended = True
    subscription.end_at(None)
    if connection.closing is not None:
        connection.drop(subscription)
    connection.post(
        frames.end(
            topic=line.key[1],
            alias=line.alias,
            position=ending.position,
            reason=ending.reason,
            final=ending.final,
        )
    )
    return connection.is_free
