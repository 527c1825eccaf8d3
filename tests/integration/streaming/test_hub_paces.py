"""How fast whole sessions go, in one figure each."""

import pytest

from streaming.hub import Hub, paces
from streaming.hub.paces import Pace
from tests.hubs import SESSION, publish

TOPICS = ("klines.BTC", "klines.ETH")


@pytest.fixture
async def hub():
    hub = Hub()
    yield hub
    await hub.stop()


async def flow(hub):
    for turn in range(4):
        for count, topic in enumerate(TOPICS, 1):
            await publish(hub, topic, *range(10 * count))
        hub.watch.look(hub, at=turn * 2.0)


async def test_topics_of_a_session_add_up_and_who_has_none_stands_still(hub):
    await flow(hub)

    found = paces.of_sessions(hub, hub.watch, [SESSION, "other"])

    assert found == {SESSION: Pace(15, [15.0] * 3, []), "other": Pace(None, [], [])}


async def test_what_another_process_sees_move_is_counted_once(hub):
    await flow(hub)
    here = hub.watch.read(hub, SESSION, at=6.0)
    there = Hub()
    there.watch.told({"a": {SESSION: here}, "b": {SESSION: here}}, missing=0)

    found = paces.of_sessions(there, there.watch, [SESSION])

    assert found[SESSION].rate == 15
    await there.stop()


def test_lines_of_different_length_end_at_the_same_moment():
    found = paces.together([Pace(2, [1, 2], [0.5]), Pace(None), Pace(3, [3], [])])

    assert found == Pace(5, [1, 5], [0.5])
