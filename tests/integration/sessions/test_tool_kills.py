"""
kill -9 of workers around the effects of tools, counted by a recorder outside of the system.

``--kills N`` makes it N of them on each database.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.utils import timezone

from sessions.core.tool_calls import State
from sessions.models import Run, ToolCall
from sessions.services import tool_calls, working
from streaming.models import Lease
from tests import factories, waiting
from tests.factories import OPERATOR
from tests.integration.sessions import tools_help, working_help
from tests.killed import Nest, nest
from tests.outside import Outside, Reply, outside

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

SHARE = 6
SEED = 20261121
# Longer than a turn takes where nobody is killed.
SPAN_SECONDS = 0.25


@dataclass
class Shop:
    """What the recorder saw, by effect key."""

    place: Outside

    def count(self, path: str) -> Counter[str]:
        return Counter(one.document["key"] for one in self.place.visits if one.path == path)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with outside() as place:
        yield Shop(place)


def test_no_effect_is_doubled_however_a_worker_is_killed(
    shop: Shop, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
):
    kills = pytestconfig.getoption("--kills") or SHARE
    chance, ends = random.Random(SEED), Counter[str]()  # noqa: S311 -- of moments
    with nest() as brood:
        for number in range(kills):
            run = admitted()
            moment = ("inside", "after", "anywhere")[number % 3]
            kill_once(brood, shop, run, moment, chance)
            ends[judged(shop, run)] += 1
            go_on(brood, shop, run)

    orders, puts = shop.count("/order"), shop.count("/put")
    calls = ToolCall.objects.filter(state=State.COMPLETED.value)
    assert set(orders.values()) == {1}
    assert orders.keys() == keys(calls.filter(tool="order"))
    assert puts.keys() == keys(calls.filter(tool="put"))
    assert calls.count() == 2 * kills
    assert ends["unknown"] > 0
    for word, count in ends.items():
        record_property(f"left {word}", count)


def admitted() -> Run:
    """A run that may carry out an order, and put something in its place."""
    run = working_help.admitted(working_help.session())
    tools_help.approved(run, "order", arguments={})
    tools_help.approved(run, "put", arguments={}, is_idempotent=True)
    return run


def keys(rows: object) -> set[str]:
    return set(rows.values_list("effect_key", flat=True))  # type: ignore[attr-defined]


def kill_once(brood: Nest, shop: Shop, run: Run, moment: str, chance: random.Random) -> None:
    """A worker takes the run and is killed: while its order is out, after that, or at any time."""
    lease = factories.lease()
    held = working_help.claimed(lease)
    key = ToolCall.objects.get(run=run, tool="order").effect_key
    hold = threading.Event() if moment == "inside" else None
    shop.place.replies["/order"] = Reply(hold=hold)
    pid = brood.hatch(run.pk, held.fence, shop.place.url(""))
    if moment == "anywhere":
        pause(chance.uniform(0, SPAN_SECONDS))
    else:
        waiting.block_until(lambda: key in shop.count("/order"))
        if moment == "after":
            pause(chance.uniform(0, SPAN_SECONDS / 5))
    brood.kill(pid)
    brood.buried()
    if hold is not None:
        hold.set()
    shop.place.settle()
    Lease.objects.filter(pk=lease.pk).update(expires_at=timezone.now())


def pause(seconds: float) -> None:
    time.sleep(seconds)  # noqa: TID251 -- the moment is left to chance, nothing is waited for


def judged(shop: Shop, run: Run) -> str:
    """Take the run over; where the order stands now, which must be what the recorder saw."""
    assert working.take_over(run_id=run.pk)
    order = ToolCall.objects.get(run=run, tool="order")
    put = ToolCall.objects.get(run=run, tool="put")
    times = shop.count("/order")[order.effect_key]
    assert put.state in {State.APPROVED, State.COMPLETED}
    if order.state == State.APPROVED:
        assert times == 0
    elif order.state == State.COMPLETED:
        assert times == 1
    else:
        assert order.state == State.UNKNOWN
        assert working_help.state(run) == "waiting"
        assert times <= 1
    return order.state


def go_on(brood: Nest, shop: Shop, run: Run) -> None:
    """A person looks at the recorder and says what happened; another worker does the rest."""
    order = ToolCall.objects.get(run=run, tool="order")
    if order.state == State.UNKNOWN:
        was_done = shop.count("/order")[order.effect_key] == 1
        tool_calls.resolve(
            principal=OPERATOR,
            tool_call=order.pk,
            outcome="completed" if was_done else "again",
            result={"looked": True},
        )
    shop.place.replies["/order"] = Reply()
    held = working_help.claimed()
    assert held.run_id == run.pk
    brood.hatch(run.pk, held.fence, shop.place.url(""))
    assert brood.buried() == "0"
    end(run.pk)


def end(run_id: UUID) -> None:
    """The run is over, so that the next one is claimed."""
    Run.objects.filter(pk=run_id).update(state="completed")
