"""Sending everybody away because a process ends, not all at once."""

import asyncio
import random
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from aegis_project.database import run_db
from components.services import crowds
from streaming.core.errors import Draining
from streaming.node import Node

if TYPE_CHECKING:
    from components.jobs.links import Links

# A crowd is sent away over this time at most; a few need less.
WINDOW_SECONDS = 8.0
EACH_SECONDS = 0.02
STEP_SECONDS = 0.1
# What those get to take their last frames who were slow to.
GOODBYE_SECONDS = 1.0

REASON = "draining"


async def drain(links: "Links", node: Node) -> None:
    """
    Tell everybody now when to come back, then close both sockets 4200, a few at a time.

    Whoever still waits goes on as before. All who were sent away are lost until they come back.
    """
    strangers = [link for link in links.opened() if not link.component_id]
    for link in strangers:
        links.act(link, link.handshake.drain(node.retry_ms()))
    leaving = {key: node.retry_ms() for key in {*links.bound, *node.hub.seated()}}
    for key, retry_ms in leaving.items():
        if key in links.bound:
            links.act(links.bound[key], links.bound[key].handshake.warn(retry_ms))
    groups = list(in_groups(leaving))
    for place, group in enumerate(groups):
        await _send_away(links, node, group)
        if place + 1 < len(groups):
            await asyncio.sleep(STEP_SECONDS)
    await links.settled(within_seconds=GOODBYE_SECONDS)


def in_groups(leaving: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Who leaves together, in an order by chance: at each step as many as fill the window."""
    order = list(leaving.items())
    random.shuffle(order)
    steps = max(1, round(min(WINDOW_SECONDS, EACH_SECONDS * len(order)) / STEP_SECONDS))
    left, size = iter(order), -(-len(order) // steps)
    while group := dict(islice(left, size)):
        yield group


async def _send_away(links: "Links", node: Node, group: Mapping[str, int]) -> None:
    held: dict[str, int] = {}
    for key, retry_ms in group.items():
        data = node.hub.seats.of(key)
        if data is not None:
            data.refuse(Draining(retry_ms=retry_ms))
        link = links.bound.get(key)
        if link is not None:
            held[key] = link.fence
            links.act(link, link.handshake.drain(retry_ms))
    if held:
        await run_db(crowds.lose_together, held=held, reason=REASON)
