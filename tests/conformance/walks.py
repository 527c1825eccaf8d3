"""Walks through a world at random, the same everywhere: what happens next is up to a seed."""

import asyncio
import random
from typing import Any

from tests.conformance.summary import WALK_STEPS
from tests.conformance.world import World

WALK_SECONDS = 60
# Few faults, those of the connection to the store, and all there are.
OTHERS: list[list[tuple[Any, ...]]] = [
    [("wipe",)],
    [("wipe",), ("away",), ("away", "wipe"), ("end",)],
    [
        *(("wipe",), ("away",), ("away", "wipe"), ("race",), ("fence",), ("jump",), ("look",)),
        *(("restart",), ("end",), ("end",), *(("crash", turns) for turns in (0, 2, 5))),
    ],
]


async def walk(store, seed):
    """One walk at random, the same for each seed: its steps, and the promise that it broke."""
    choices = random.Random(seed)  # noqa: S311 -- the same walks each time
    world = World(store)
    try:
        async with asyncio.timeout(WALK_SECONDS):
            await world.open()
            for _ in range(WALK_STEPS):
                await world.do(*choices.choice(possible(world, seed % 3)))
            await world.do("deliver", 999)
    except AssertionError as broken:
        return world.steps, broken
    finally:
        await world.close()
    return world.steps, None


def possible(world, faults):
    """The steps that are possible now; what makes a history comes up more often."""
    found: list[tuple[Any, ...]] = [("publish",)] * 4 + [
        ("drop",) if world.link else ("resume",)
    ] * 2
    if world.can_deliver:
        found += [("deliver", count) for count in (1, 1, 2, 9)] * 2
    if world.can_trim:
        found += [("trim",)] * 3
    if world.can_roll_back:
        found += [("rollback",), *[("away", "rollback")] * (2 * faults)]
    if world.can_repeat and faults > 1:
        found.append(("repeat",))
    return found + OTHERS[faults]
