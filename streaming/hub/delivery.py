"""Sending records and notices of one subscription, and moving it forward by them."""

from typing import TYPE_CHECKING

from streaming.core import frames, position
from streaming.core.resume import Gap, Placement
from streaming.engines.base import FRAME_RECORDS
from streaming.hub.packs import Pack
from streaming.hub.subscription import Subscription

if TYPE_CHECKING:
    from streaming.hub.connection import Connection


async def deliver_up_to(
    connection: "Connection",
    subscription: Subscription,
    *,
    limit: int,
    below_n: int | None = None,
) -> bool:
    """Deliver one pack within these bounds and the window; false when that was not possible."""
    limit = min(limit, room(connection))
    if limit <= 0:
        return False
    pack = await subscription.line.pack_of(subscription.next, limit=limit, below_n=below_n)
    if pack is None or pack.first != subscription.next or not is_able(connection, subscription):
        return False
    return connection.has_room() and deliver(connection, subscription, pack)


def is_able(connection: "Connection", subscription: Subscription) -> bool:
    """Whether a record of this subscription may be sent now."""
    is_wanted = connection.is_free and connection.is_open and subscription.is_live
    # With another epoch it must first be placed anew, which its line is about to do.
    return is_wanted and subscription.epoch == subscription.line.log.epoch


def room(connection: "Connection") -> int:
    """How many records the COMMIT window still lets through."""
    window = connection.seat.window
    if not window:
        return FRAME_RECORDS
    held = connection.subscriptions.values()
    return window - sum(one.next - 1 - one.committed for one in held)


def deliver(connection: "Connection", subscription: Subscription, pack: Pack) -> bool:
    """Send one pack; false when the connection takes no more now, or the pack is not its own."""
    if not follows(subscription, pack):
        pack.line.is_doubted = True
        connection.owner.mark(pack.line)
        return False
    connection.is_quiet = False
    subscription.n = None
    if not connection.is_batch:
        return _deliver_singly(connection, subscription, pack)
    pack.line.counters.deliveries += pack.count
    subscription.next, subscription.ck = pack.last + 1, pack.ck
    return connection.put(pack.batch())


def follows(subscription: Subscription, pack: Pack) -> bool:
    """Whether a pack follows on what the subscriber has, as far as both can tell."""
    return subscription.ck == pack.before or subscription.ck is None or pack.before is None


def _deliver_singly(connection: "Connection", subscription: Subscription, pack: Pack) -> bool:
    sent = 0
    for message in pack.singles():
        sent += 1
        if not connection.put(message):
            break
    pack.line.counters.deliveries += sent
    subscription.next += sent
    if sent == pack.count:
        subscription.ck = pack.ck
    elif subscription.ck is not None:
        had = pack.slice.data[:sent]
        subscription.ck = position.chain_all(subscription.ck, pack.first, had)
    return connection.is_free


def tell(connection: "Connection", subscription: Subscription, placed: Placement) -> None:
    """Move a subscription, after telling it what stands between its last record and the next."""
    line = subscription.line
    subscription.move(placed)
    if placed.notice is None:
        return
    line.counters.gaps += 1
    subscription.gaps += 1
    if isinstance(placed.notice, Gap):
        line.counters.dropped += placed.notice.count
        subscription.dropped += placed.notice.count
        connection.owner.losses.add(line.key, connection.seat.component_id, placed.notice)
    connection.post(
        frames.notice(
            placed.notice,
            topic=line.key[1],
            alias=line.alias,
            epoch=line.log.epoch,
            placed=placed,
            is_extended=connection.seat.extended,
        )
    )
