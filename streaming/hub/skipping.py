"""What a subscription does not get: holes told exactly, and conflation to the latest."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from streaming.core.errors import SlowConsumer
from streaming.core.resume import Gap, Placement
from streaming.engines.base import FRAME_RECORDS
from streaming.hub import delivery
from streaming.hub.line import Line
from streaming.hub.subscription import Subscription

if TYPE_CHECKING:
    from streaming.hub.connection import Connection


async def skip(connection: "Connection", subscription: Subscription) -> None:
    """Go on where the log begins now: retention, or a clock that was set on, has passed it."""
    is_ordered = subscription.line.log.is_ordered
    if subscription.policy == "close" and not is_ordered:
        connection.refuse(SlowConsumer(topic=subscription.line.key[1]))
        return
    log = subscription.line.log
    start, ck = log.start, await log.match(log.start - 1)
    while start != log.start:
        start, ck = log.start, await log.match(log.start - 1)
    if subscription.next < start and delivery.is_able(connection, subscription):
        gap = Gap(subscription.next, start - 1, "seek" if is_ordered else "overrun")
        delivery.tell(connection, subscription, Placement(start, ck, gap))


def is_conflating(subscription: Subscription) -> bool:
    """Whether a subscription that wants only the latest is more than one frame behind."""
    lag = subscription.line.head - subscription.next + 1
    return subscription.policy == "conflate" and lag > FRAME_RECORDS


async def conflate(connection: "Connection", subscription: Subscription) -> None:
    """
    Deliver the latest record of each key, up to the head as it is now.

    Every hole between them is told exactly. When the connection stops taking frames, what is
    left is conflated, or simply delivered, at the next turn.
    """
    line = subscription.line
    kept = await _latest(line, subscription)
    for first, last in _runs(kept):
        if first > subscription.next:
            ck = await line.log.match(first - 1)
            gap = Gap(subscription.next, first - 1, "conflated")
            delivery.tell(connection, subscription, Placement(first, ck, gap))
        while delivery.is_able(connection, subscription) and subscription.next <= last:
            limit = last - subscription.next + 1
            if not await delivery.deliver_up_to(connection, subscription, limit=limit):
                return


async def _latest(line: Line, subscription: Subscription) -> list[int]:
    head, after = line.head, subscription.next - 1
    if subscription.key is None:
        return [head]
    latest: dict[bytes, int] = {}
    while after < head and (cut := await line.log.read(after, limit=head - after)):
        for seq, data in enumerate(cut.data, cut.first):
            latest[_value(data, subscription.key)] = seq
        after = cut.last
    return sorted(latest.values())


def _value(data: bytes, key: str) -> bytes:
    payload = msgspec.json.decode(data)
    return msgspec.json.encode(payload.get(key) if isinstance(payload, dict) else None)


def _runs(kept: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for seq in kept:
        if runs and runs[-1][1] == seq - 1:
            runs[-1] = (runs[-1][0], seq)
        else:
            runs.append((seq, seq))
    return runs
