"""
Every order of steps and faults keeps the promises, whatever the engine.

Hypothesis chooses the orders and shortens one that fails, but only where the same steps always
come to the same; a crash of what has threads or another process in it does not.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.conformance import summary
from tests.conformance.stores import Store
from tests.conformance.summary import WALK_STEPS
from tests.conformance.walks import walk
from tests.conformance.world import World

# Every question to a real store is one, and a long run asks for days of them.
pytestmark = pytest.mark.timeout(0)


class Model(RuleBasedStateMachine):
    """The steps of the world, chosen by hypothesis; those of the model, and more faults."""

    make_store: Callable[[], Store]
    steps = 0

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = self.run(self.begin())

    async def begin(self):
        return await World(type(self).make_store()).open()

    def run(self, work):
        return self.loop.run_until_complete(work)

    def do(self, action, *arguments):
        type(self).steps += 1
        self.run(self.world.do(action, *arguments))

    @rule()
    def publish(self):
        self.do("publish")

    @precondition(lambda self: self.world.can_deliver)
    @rule(count=st.sampled_from([1, 1, 2, 9]))
    def deliver(self, count):
        self.do("deliver", count)

    @precondition(lambda self: self.world.link)
    @rule()
    def drop(self):
        self.do("drop")

    @precondition(lambda self: not self.world.link)
    @rule()
    def resume(self):
        self.do("resume")

    @precondition(lambda self: self.world.can_trim)
    @rule()
    def trim(self):
        self.do("trim")

    @precondition(lambda self: self.world.can_roll_back)
    @rule()
    def rollback(self):
        self.do("rollback")

    @rule()
    def wipe(self):
        self.do("wipe")

    @precondition(lambda self: self.world.can_repeat)
    @rule()
    def repeat(self):
        self.do("repeat")

    @rule(what=st.sampled_from(["race", "fence", "jump", "look", "end", "restart"]))
    def happen(self, what):
        self.do(what)

    @rule(turns=st.integers(0, 12))
    def crash(self, turns):
        self.do("crash", turns)

    @rule(harm=st.sampled_from(["", "wipe"]))
    def away(self, harm):
        self.do("away", harm)

    @precondition(lambda self: self.world.can_roll_back)
    @rule()
    def fall_back(self):
        self.do("away", "rollback")

    def teardown(self):
        try:
            self.run(self.world.do("deliver", 999))
        finally:
            self.run(self.world.close())
            self.loop.close()


def test_every_order_of_faults_keeps_the_promises(make_exact_store, request):
    over_store: Any = type("Over", (Model,), {"make_store": staticmethod(make_exact_store)})

    run_state_machine_as_test(
        over_store,
        settings=settings(
            max_examples=summary.walks(request, make_exact_store),
            stateful_step_count=WALK_STEPS,
            # The same steps everywhere; more of them with --steps.
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

    summary.note(request, server="in process", steps=over_store.steps)


async def test_walks_at_random_keep_the_promises(make_store, request):
    steps = 0
    for seed in range(summary.walks(request, make_store)):
        taken, broken = await walk(make_store(), seed)
        assert broken is None, f"seed {seed}, step {taken}: {broken!r}"
        steps += taken

    summary.note(request, server="in process", steps=steps)
