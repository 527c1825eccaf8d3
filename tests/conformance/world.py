"""One topic, one subscriber and a store that fails: the resume model, driven on the real thing."""

import asyncio
import json

from streaming.core import position
from streaming.core.messages import Request
from streaming.core.position import Cursor
from streaming.hub import Hub
from tests.conformance.stores import Store
from tests.hubs import SESSION, connection_of, seat

TOPIC = "klines.BTC"
KEY = (SESSION, TOPIC)
TRAIL = 2
# As in the model: how many records there may be before retention takes the oldest.
RING = 2


class Link:
    """A socket whose frames arrive one by one, when the world says so."""

    def __init__(self):
        self.flight = []

    async def send(self, message):
        arrived = asyncio.Event()
        self.flight.append((message, arrived))
        await arrived.wait()


class World:
    """
    The state of the model and its actions.

    Every record has an id of its own, by which loss and repetition are seen whatever its number
    is. ``got`` are the ids the client was delivered, ``told`` those that notices covered.
    """

    def __init__(self, store: Store):
        self.store = store
        self.hub = Hub(engines=[store.engine], mint=store.mint)
        self.link: Link | None = None
        self.ids = 0
        # What stands, or stood before retention, at each seq of the log as it is.
        self.standing: dict[int, int] = {}
        self.trimmed: list[int] = []
        self.got: list[int] = []
        self.told: set[int] = set()
        self.epoch, self.seq, self.ck = "", 0, b""
        self.trail: list[tuple[int, bytes]] = []
        self.placed: tuple[str, int, str] | None = None

    async def open(self):
        self.log = await self.store.open(KEY)
        await self.connect(None)
        while self.can_deliver:
            await self.deliver()
        return self

    # Actions

    async def publish(self):
        self.ids += 1
        await self.hub.publish(KEY, [(0, json.dumps(self.ids).encode())])
        self.standing[self.log.head] = self.ids
        await self.settle()

    async def deliver(self):
        """The next frame arrives."""
        message, arrived = self.flight.pop(0)
        self.take(json.loads(message["text"]))
        arrived.set()
        await self.settle()

    async def drop(self):
        """The link is cut; what was on its way is gone."""
        connection_of(self.hub).lose()
        # A place that no notice and no record has confirmed is not kept: the notice may be lost.
        self.link = self.placed = None
        await self.settle()

    async def resume(self):
        await self.connect(Cursor(self.epoch, self.seq, self.ck, tuple(self.trail)))

    async def trim(self):
        self.trimmed.append(self.standing[self.log.start])
        await self.store.trim(self.log)

    async def rollback(self):
        del self.standing[self.log.head]
        await self.store.rollback(self.log)

    async def wipe(self):
        """The store comes back empty, and every link is cut with it."""
        if self.link:
            await self.drop()
        self.standing.clear()
        await self.store.wipe(self.log)

    # What may happen now

    @property
    def length(self):
        return self.log.head - self.log.start + 1

    @property
    def flight(self):
        return self.link.flight if self.link else []

    @property
    def can_deliver(self):
        return bool(self.flight)

    @property
    def possible(self):
        """The actions that are possible now; what makes a history comes up more often."""
        found = ["publish", "publish", "drop" if self.link else "resume"]
        if self.can_deliver:
            found += ["deliver"] * 4
        if self.length > RING:
            found.append("trim")
        if self.length:
            found.append("rollback")
        return [*found, "wipe"]

    # The client

    async def connect(self, cursor):
        self.link = Link()
        own = seat(batch=False)
        await self.hub.subscribe(own, self.link.send, [Request(TOPIC, cursor=cursor)])
        await self.settle()

    def take(self, frame):
        match frame.get("COMMAND"):
            case None:
                self.record(frame)
            case "SUBSCRIBED":
                self.answer(*frame["topics"])
            case "REWIND":
                self.trail = [point for point in self.trail if point[0] < frame["to"]]
                self.stand(frame, frame["to"])
            case "GAP":
                self.gap(frame)

    def answer(self, entry):
        if entry["resumed"]:
            self.epoch, self.placed = entry["epoch"], None
            return
        self.placed = (entry["epoch"], entry["next"] - 1, entry["ck"])
        if not self.ck:
            self.adopt()

    def adopt(self):
        """Stand where SUBSCRIBED said, when no notice told how that follows."""
        if self.placed:
            self.epoch, self.seq, ck = self.placed
            self.ck, self.trail, self.placed = bytes.fromhex(ck), [], None

    def record(self, frame):
        self.adopt()
        assert frame["seq"] == self.seq + 1, "a hole that nobody told of"
        self.trail = [*self.trail, (self.seq, self.ck)][-TRAIL:]
        self.seq = frame["seq"]
        self.ck = position.chain(self.ck, self.seq, json.dumps(frame["data"]).encode())
        self.got.append(frame["data"])

    def gap(self, frame):
        if frame["count"] is None:
            self.told |= set(range(1, self.ids + 1))
        else:
            assert frame["from"] == self.seq + 1, "a gap that begins elsewhere"
            span = range(frame["from"], frame["to"] + 1)
            assert frame["count"] == len(span)
            self.told |= {self.standing[seq] for seq in span if seq in self.standing}
        self.trail = []
        self.stand(frame, frame["next"] - 1)

    def stand(self, frame, seq):
        self.placed = None
        self.epoch, self.seq, self.ck = frame["epoch"], seq, bytes.fromhex(frame["ck"])

    # What must hold

    def check(self):
        assert len(set(self.got)) == len(self.got), "delivered twice"
        assert self.got == sorted(self.got), "out of order"
        if self.link and not self.flight:
            self.adopt()
        if self.is_at_head:
            alive = {*self.trimmed, *(self.standing[s] for s in self.seqs)}
            assert alive <= {*self.got, *self.told}, "lost silently"

    @property
    def seqs(self):
        return range(self.log.start, self.log.head + 1)

    @property
    def is_at_head(self):
        here = (self.epoch, self.seq)
        return bool(self.link) and not self.flight and here == (self.log.epoch, self.log.head)

    async def settle(self):
        for _ in range(4):
            self.hub.flusher.flush()
            await self.store.settle()

    async def close(self):
        if self.link:
            await self.drop()
        self.hub.flusher.stop()
        await self.store.close()
