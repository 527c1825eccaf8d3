import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from streaming.core import position, resume
from tests.conformance.stores import Store
from tests.conformance.world import RING, World

# Every question to a real store is one, and there are some ten thousand.
pytestmark = pytest.mark.timeout(300)

STEPS = settings(
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class Model(RuleBasedStateMachine):
    """The transitions of the model, each made on the hub and the store."""

    make_store: Callable[[], Store]

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = self.run(self.begin())

    async def begin(self):
        return await World(type(self).make_store()).open()

    def run(self, work):
        return self.loop.run_until_complete(work)

    @rule()
    def publish(self):
        self.run(self.world.publish())

    @precondition(lambda self: self.world.can_deliver)
    @rule()
    def deliver(self):
        self.run(self.world.deliver())

    @precondition(lambda self: self.world.link)
    @rule()
    def drop(self):
        self.run(self.world.drop())

    @precondition(lambda self: not self.world.link)
    @rule()
    def resume(self):
        self.run(self.world.resume())

    @precondition(lambda self: self.world.length > RING)
    @rule()
    def trim(self):
        self.run(self.world.trim())

    @precondition(lambda self: self.world.length)
    @rule()
    def rollback(self):
        self.run(self.world.rollback())

    @rule()
    def wipe(self):
        self.run(self.world.wipe())

    @invariant()
    def nothing_is_lost_repeated_or_out_of_order(self):
        self.world.check()

    def teardown(self):
        while self.world.can_deliver:
            self.run(self.world.deliver())
            self.world.check()
        self.run(self.world.close())
        self.loop.close()


def test_every_order_of_faults_keeps_the_promises(make_store):
    over_store = type("OverStore", (Model,), {"make_store": staticmethod(make_store)})

    run_state_machine_as_test(over_store, settings=settings(STEPS, max_examples=make_store.walks))


# The mutants of the model: rules that are wrong in one way each, and an order that shows it


def no_match(monkeypatch):
    def proven(view, cursor):
        if cursor.epoch != view.epoch or not view.start - 1 <= cursor.seq <= view.head:
            return None
        return resume.Placement(cursor.seq + 1, cursor.ck, is_resumed=True)

    monkeypatch.setattr(resume, "_proven", proven)


def without_notice(rule_):
    def mutant(*args):
        placed: Any = rule_(*args)
        return placed and replace(placed, notice=None)

    return mutant


def no_gap_on_trim(monkeypatch):
    monkeypatch.setattr(resume, "_passed", without_notice(resume._passed))


def inclusive(monkeypatch):
    right = resume._proven

    def proven(view, cursor):
        placed: Any = right(view, cursor)
        again = placed and placed.next - 1
        return replace(placed, next=again, ck=None) if again else placed

    monkeypatch.setattr(resume, "_proven", proven)


def no_boundary(monkeypatch):
    monkeypatch.setattr(resume, "_unprovable", without_notice(resume._unprovable))


def shared_genesis(monkeypatch):
    monkeypatch.setattr(position, "genesis", lambda topic, epoch: b"the same")


MUTANTS = [
    (no_match, "publish publish rollback publish"),
    (no_gap_on_trim, "publish deliver drop publish publish publish publish trim trim resume"),
    (inclusive, "publish deliver drop resume"),
    (no_boundary, "wipe publish resume"),
    (shared_genesis, "publish publish publish trim wipe publish resume"),
]


async def walk(store, trace):
    world = await World(store).open()
    try:
        for action in trace.split():
            await getattr(world, action)()
            world.check()
        while world.can_deliver:
            await world.deliver()
            world.check()
    finally:
        await world.close()


@pytest.mark.parametrize(
    ("mutate", "trace"), MUTANTS, ids=lambda value: getattr(value, "__name__", "")
)
async def test_wrong_rule_is_noticed(make_quick_store, monkeypatch, mutate, trace):
    await walk(make_quick_store(), trace)

    mutate(monkeypatch)

    with pytest.raises(AssertionError):
        await walk(make_quick_store(), trace)


async def test_walks_at_random_keep_the_promises(make_quick_store):
    choices = random.Random(1)  # noqa: S311 -- the same walks each time

    for _ in range(500):
        world = await World(make_quick_store()).open()
        try:
            for _ in range(20):
                await getattr(world, choices.choice(world.possible))()
                world.check()
        finally:
            await world.close()
