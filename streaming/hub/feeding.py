"""Giving the subscriptions of a connection their turns."""

import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from streaming.engines.base import FRAME_RECORDS
from streaming.hub import concluding, delivery, inline, merging, skipping
from streaming.hub.subscription import Subscription

if TYPE_CHECKING:
    from streaming.hub.connection import Connection

logger = logging.getLogger(__name__)


def feed_all(connection: "Connection") -> None:
    """Give every subscription its turn, as long as the connection takes frames."""
    is_ordered = False
    for subscription in tuple(connection.subscriptions.values()):
        if subscription.line.log.is_ordered:
            is_ordered = True
        elif not feed(connection, subscription):
            return
    if is_ordered:
        feed_ordered(connection)


def feed(  # noqa: PLR0911 -- each return is one way for a turn to end
    connection: "Connection", subscription: Subscription
) -> bool:
    """
    Deliver what one subscription has not had yet; false when the connection takes no more now.

    What is special about a subscription (a window, a hole, conflation) is done by
    :func:`advance`; here is the path of every live record.
    """
    if connection.feeding is not None:
        return False
    if not (connection.is_open and subscription.is_live):
        return concluding.conclude(connection, subscription)
    line, log = subscription.line, subscription.line.log
    for _ in range(connection.owner.limits.turn_frames):
        if subscription.next > line.head or subscription.epoch != log.epoch:
            return concluding.conclude(connection, subscription)
        if subscription.next < log.start or is_special(connection, subscription):
            return run(connection, advance(connection, subscription))
        pack = line.pack(subscription.next)
        if pack is None or pack.first != subscription.next:
            # On its way from the store; its arrival brings the next turn.
            return True
        if not connection.has_room() or not delivery.deliver(connection, subscription, pack):
            return False
    connection.owner.again(connection)
    return True


def feed_ordered(connection: "Connection") -> None:
    """Deliver the topics of a historical source to one connection, merged by their clock."""
    if connection.feeding is None:
        run(connection, merging.merge(connection))
    for subscription in tuple(connection.subscriptions.values()):
        if subscription.ending is not None and connection.feeding is None:
            concluding.conclude(connection, subscription)


def is_special(connection: "Connection", subscription: Subscription) -> bool:
    """Whether delivery has to look at more than the next pack."""
    return (
        subscription.ending is not None
        or bool(connection.seat.window)
        or skipping.is_conflating(subscription)
    )


async def advance(connection: "Connection", subscription: Subscription) -> None:
    """Deliver within the window, over holes, and the latest only where that was asked for."""
    log = subscription.line.log
    for _ in range(connection.owner.limits.turn_frames):
        left = subscription.goal - subscription.next + 1
        if not delivery.is_able(connection, subscription) or left <= 0:
            break
        if subscription.next < log.start:
            await skipping.skip(connection, subscription)
        elif skipping.is_conflating(subscription):
            await skipping.conflate(connection, subscription)
        elif not await delivery.deliver_up_to(
            connection, subscription, limit=min(left, FRAME_RECORDS)
        ):
            return
    else:
        connection.owner.again(connection)
    if delivery.is_able(connection, subscription):
        concluding.conclude(connection, subscription)


def run(connection: "Connection", work: Coroutine[Any, Any, None]) -> bool:
    """
    Do work on a connection inline, or in its one task when an engine has to wait.

    While that task lives no other record goes to the connection, so that order is kept. False
    when the connection takes no more now.
    """
    _, begun = inline.begin(work)
    if begun is not None:
        connection.feeding = connection.loop.create_task(_finish(connection, begun))
        return False
    return connection.is_free


async def _finish(connection: "Connection", begun: inline.Begun[None]) -> None:
    try:
        await begun
    except Exception:  # the next look at the log tries again
        logger.exception("A delivery failed", extra={"action": "delivery_failed"})
        return
    finally:
        connection.feeding = None
    connection.pump()
    connection.owner.stirred(connection)
