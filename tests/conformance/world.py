"""One topic, one subscriber and a store that fails: the resume model, driven on the real thing."""

import asyncio
import contextlib
import json

from streaming.core.errors import StoreDown, TopicReadOnly
from streaming.core.messages import Request
from streaming.hub import Hub
from tests.conformance.client import Chronicle, Client
from tests.conformance.stores import Store
from tests.hubs import SESSION, connection_of, seat

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)
# As in the model: how many records there may be before retention takes the oldest.
RING = 2
# Where a wall clock may jump to and back (unix ms).
PAST, PRESENT, FUTURE = 0, 1_767_139_200_000, 4_102_444_800_000


class Link:
    """A socket whose frames arrive one by one, when the world says so."""

    def __init__(self):
        self.flight = []

    async def send(self, message):
        arrived = asyncio.Event()
        self.flight.append((message, arrived))
        await arrived.wait()


class World:
    """The state of the model and its actions, and the faults that the model has no word for."""

    def __init__(self, store: Store):
        self.store = store
        self.hub = self.begin()
        self.chronicle = Chronicle()
        self.client = Client(self.chronicle, TOPIC)
        self.link: Link | None = None
        self.ts = PRESENT
        self.steps = 0
        # Whether the last publication can be repeated: the log has not lost it.
        self.can_repeat = False

    def begin(self):
        return Hub(engines=[self.store.engine], mint=self.store.mint)

    async def open(self):
        self.log = await self.store.open(KEY)
        await self.connect(None)
        await self.deliver(9)
        return self

    async def do(self, action, *arguments):
        """Take one step, after which everything must hold that was promised."""
        self.steps += 1
        await getattr(self, action)(*arguments)
        self.check()

    # Actions of the model

    async def publish(self):
        own = self.chronicle.mint()
        await self.put(self.hub.publish, own)
        self.chronicle.stands(self.log.head, own)
        self.can_repeat = True

    async def deliver(self, count=1):
        """The next frames arrive."""
        while self.can_deliver and count:
            message, arrived = self.flight.pop(0)
            self.client.take(json.loads(message["text"]))
            arrived.set()
            count -= 1
            await self.settle()
        if self.link and self.client.is_ended:
            await self.drop()

    async def drop(self):
        """The link is cut; what was on its way is gone."""
        connection_of(self.hub).lose()
        self.link = None
        await self.settle()

    async def resume(self):
        await self.connect(self.client.cursor)

    async def trim(self):
        self.chronicle.trimmed.append(self.chronicle.standing[self.log.start])
        await self.store.trim(self.log)

    async def rollback(self):
        self.lose_newest()
        await self.store.rollback(self.log)

    async def wipe(self):
        """The store comes back empty, and every link is cut with it."""
        if self.link:
            await self.drop()
        self.lose_all()
        await self.store.wipe(self.log)

    # Actions that it does not have

    async def repeat(self):
        """The publisher did not hear the answer, and says the same again."""
        before = self.log.position
        await self.put(self.hub.publish, self.chronicle.count)
        assert self.log.position == before, "a repetition was appended"

    async def race(self):
        """Two processes publish at the same time; which is first, only the log knows."""
        other = await self.store.elsewhere(KEY)
        owns = [self.chronicle.mint() for _ in range(2)]
        await asyncio.gather(
            self.put(self.hub.publish, owns[0]),
            other.append([record(owns[1], self.ts)]),
        )
        self.can_repeat = False
        await self.log.refresh()
        await self.learn()
        await self.look()

    async def fence(self):
        """Two processes set a new epoch at the same time; records and chain stay."""
        other, epoch = await self.store.elsewhere(KEY), self.log.epoch
        await other.refresh()
        minted = [self.store.mint() for _ in range(2)]
        try:
            won = await asyncio.gather(
                self.log.fence(epoch, minted[0]), other.fence(epoch, minted[1])
            )
        except TopicReadOnly:
            # It is recorded, and nothing was written yet by which this process would own it.
            return
        assert sorted(won) == [False, True], "a fence was not won once"
        assert self.log.epoch == minted[won.index(True)], "the loser goes by another epoch"
        await self.look()

    async def jump(self):
        """The wall clock jumps; what is kept by age goes by another clock."""
        self.ts = PAST if self.ts == FUTURE else FUTURE
        start = self.log.start
        self.store.engine.tidy(asyncio.get_running_loop().time())
        assert self.log.start == start, "a jump of the clock took records"
        await self.publish()

    async def look(self):
        """The periodic look at the log, or the hint that it moved."""
        await self.log.refresh()
        self.hub.moved(KEY)
        await self.settle()

    async def away(self, harm=""):
        """The connection to the store breaks; when it is back, the store may have lost something."""
        if harm == "rollback":
            self.lose_newest()
        elif harm == "wipe":
            self.lose_all()
        await self.store.away(self.log, harm)
        await self.settle()

    async def crash(self, turns):
        """The process is killed while it publishes, so many turns of its loop into that."""
        own = self.chronicle.mint()
        publishing = asyncio.create_task(self.put(self.hub.publish, own))
        for _ in range(turns):
            await asyncio.sleep(0)
        publishing.cancel()
        self.die()
        with contextlib.suppress(asyncio.CancelledError, StoreDown):
            await publishing
        await self.store.crash()
        await self.rise()

    async def restart(self):
        """The process ends in order and another begins."""
        if self.link:
            await self.drop()
        await self.hub.stop()
        await self.store.renew()
        await self.rise()

    async def end(self):
        """The topic ends; whoever has everything gets a receipt."""
        await self.hub.end(KEY, "stopped", final=False)
        await self.settle()

    # What may happen now

    @property
    def length(self):
        return self.log.head - self.log.start + 1

    @property
    def can_trim(self):
        return self.log.start in self.chronicle.standing and self.length > RING

    @property
    def can_roll_back(self):
        return self.log.head in self.chronicle.standing and self.length > 0

    @property
    def flight(self):
        return self.link.flight if self.link else []

    @property
    def can_deliver(self):
        return bool(self.flight)

    # The store as it is

    def lose_newest(self):
        del self.chronicle.standing[self.log.head]
        self.can_repeat = False

    def lose_all(self):
        self.chronicle.forget()
        self.can_repeat = False

    async def learn(self):
        """Take from the log which record came to stand where."""
        standing = self.chronicle.standing
        for seq in [seq for seq in standing if seq > self.log.head]:
            del standing[seq]
        after = max(self.log.start - 1, 0)
        while cut := await self.log.read(after):
            for seq, data in enumerate(cut.data, cut.first):
                self.chronicle.stands(seq, json.loads(data))
            after = cut.last

    # The process

    async def put(self, publish, own):
        await publish(KEY, [record(own, self.ts)], ("feed", 1, own))
        await self.settle()

    async def connect(self, cursor):
        self.link = Link()
        request = Request(TOPIC, cursor=cursor)
        answer = await self.hub.subscribe(seat(batch=False), self.link.send, [request])
        self.client.resumed(*answer["topics"])
        await self.settle()

    def die(self):
        """Nothing that the process began goes on, and nobody is told."""
        if self.link:
            connection_of(self.hub).lose()
            self.link = None
        self.hub.flusher.stop()

    async def rise(self):
        self.can_repeat = False
        epoch = self.log.epoch
        self.log = await self.store.open(KEY)
        if self.log.epoch != epoch:
            self.chronicle.forget()
        self.hub = self.begin()
        await self.learn()

    async def settle(self):
        for _ in range(4):
            self.hub.flusher.flush()
            await self.store.settle()

    async def close(self):
        if self.link:
            await self.drop()
        self.hub.flusher.stop()
        await self.store.close()

    # What must hold

    def check(self):
        self.client.check_order()
        if self.link and not self.flight:
            self.client.adopt()
        if self.is_at_head:
            self.client.check_whole()

    @property
    def is_at_head(self):
        here = (self.client.epoch, self.client.seq)
        return bool(self.link) and not self.flight and here == (self.log.epoch, self.log.head)


def record(own, ts):
    return (ts, json.dumps(own).encode())
