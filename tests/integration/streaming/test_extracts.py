import pytest

from aegis_project.kit.errors import ServiceUnavailable
from streaming.core import position
from streaming.core.position import Position
from streaming.core.rules import Keep
from streaming.engines.memory import MemoryEngine
from streaming.engines.retention import Retention
from streaming.hub import Hub, extracts
from streaming.hub.extracts import Stretch
from tests.hubs import SESSION, publish

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)


class Here:
    """The hub on this loop; something may happen before each reading."""

    def __init__(self, hub):
        self.hub = hub
        self.happens = []

    async def read(self, key, after):
        if self.happens:
            await self.happens.pop(0)()
        return await self.hub.read(key, after)

    async def epoch(self, key):
        return (await self.hub.bounds(key))[1].epoch


async def hub_of(count, **keep):
    hub = Hub(engines=[MemoryEngine(retention=Retention(default=Keep(**keep)))])
    for n in range(1, count + 1):
        await publish(hub, TOPIC, n, ts=1000 + n)
    return hub


async def stretch(hub, *, after=0, from_ms=0, to_ms=10**9):
    log = hub.board.lines[KEY].log
    ck = await log.match(after)
    return Stretch(KEY, Position(log.epoch, after, ck), log.head, from_ms, to_ms)


async def collect(here, wanted):
    return [row async for rows in extracts.rows(here, wanted) for row in rows]


async def test_all_records_of_a_stretch_come_with_their_chain():
    hub = await hub_of(600)
    wanted = await stretch(hub)
    await publish(hub, TOPIC, "later")

    found = await collect(Here(hub), wanted)

    assert [row.seq for row in found] == list(range(1, 601))
    ck = position.genesis(TOPIC, wanted.begin.epoch)
    for row in found:
        ck = position.chain(ck, row.seq, row.data)
        assert (row.ck, row.ts) == (ck, 1000 + row.seq)


async def test_a_range_of_times_leaves_the_others_out():
    hub = await hub_of(10)

    found = await collect(Here(hub), await stretch(hub, after=2, from_ms=1004, to_ms=1006))

    assert [row.seq for row in found] == [4, 5, 6]


@pytest.mark.parametrize("fault", ["trim", "fence", "restore"])
async def test_a_log_that_loses_records_meanwhile_gives_no_file_with_a_hole(fault):
    hub = await hub_of(300)
    here, log = Here(hub), hub.board.lines[KEY].log

    async def nothing():
        pass

    async def happen():
        if fault == "trim":
            log.trim(290)
        elif fault == "fence":
            await log.fence(log.epoch, "f" * 16)
        else:
            log.__init__(KEY, epoch=log.epoch, keep=Keep(), engine=hub.board.lines[KEY].engine)
            await log.append([(1000, b'"x"')] * 300)

    here.happens = [nothing, happen]

    with pytest.raises(ServiceUnavailable):
        await collect(here, await stretch(hub))
