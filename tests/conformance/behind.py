"""The model behind a real server: a subscriber at its sockets, a publisher at HTTP, and faults."""

import contextlib
import random
from urllib.parse import urlsplit

from components.sdk import wire
from tests.conformance.client import Chronicle, Client
from tests.conformance.stores import ValkeyStore
from tests.e2e import remote
from tests.e2e.places import Place
from tests.e2e.remote import Socket, assert_no_traceback, opened
from tests.serving import Running

TOPIC = "prices.BTCUSDT"
# Nobody is lost here for being slow: what ends a connection is a step.
PATIENT = {"AEGIS_LOST_SECONDS": "60", "AEGIS_GRACE_SECONDS": "60"}


class Behind:
    """
    One topic and one subscriber of a session; ``store`` is its Valkey, when the server has one.

    What the test does to the store the server learns from the next record, which follows at once.
    """

    def __init__(self, here: Place, store: ValkeyStore | None, settings: dict[str, str]):
        self.here, self.store, self.settings = here, store, {**PATIENT, **settings}
        self.chronicle = Chronicle()
        self.client = Client(self.chronicle, TOPIC)
        self.control, self.data = contextlib.AsyncExitStack(), contextlib.AsyncExitStack()
        self.served = contextlib.ExitStack()
        self.link: Socket | None = None
        self.component: dict[str, str] = {"name": "sink"}
        self.steps = self.first = self.head = 0

    async def __aenter__(self):
        self.running: Running = self.served.enter_context(self.here.serve(**self.settings))
        made = await remote.make(self.running)
        self.session, self.token = str(made["id"]), made["session_token"]
        await remote.order(self.running, self.session, "start")
        await self.join()
        await self.resume()
        return self

    async def __aexit__(self, *_):
        await self.data.aclose()
        await self.control.aclose()
        self.served.close()
        assert_no_traceback(self.running)

    async def walk(self, seed: int, steps: int):
        """So many steps at random, the same for each seed, then the end of the topic."""
        choices = random.Random(seed)  # noqa: S311 -- the same walks each time
        for number in range(steps):
            await self.do("restart" if number == steps // 2 else choices.choice(self.possible()))
        for step in ([] if self.link else ["resume"]) + ["catch_up", "end"]:
            await self.do(step)

    def possible(self) -> list[str]:
        """The steps that are possible now; what makes a history comes up more often."""
        found = ["publish"] * 4 + (["drop", "catch_up", "deliver"] if self.link else ["resume"] * 2)
        found += ["deliver"] * 3 if self.link and self.link.raw else []
        if self.store and self.head - self.first >= 2:
            found += ["trim", "rollback", "wipe"]
        return found

    async def do(self, action: str):
        """Take one step, after which everything must hold that was promised."""
        self.steps += 1
        await getattr(self, action)()
        self.client.check_order()

    # Steps of the model

    async def publish(self) -> int:
        own = self.chronicle.mint()
        path = f"/api/v1/sessions/{self.session}/topics/{TOPIC}"
        answer = await remote.ask(self.running, "POST", path, {"records": [{"data": own}]})
        assert answer.status == 201, answer
        self.head = answer.body["last"]
        self.first = min(self.first, self.head) or 1
        self.chronicle.stands(self.head, own)
        return int(own)

    async def deliver(self):
        """Take what has arrived."""
        assert self.link is not None
        while self.link.is_waiting:
            self.client.take(await self.link.next())

    async def catch_up(self):
        """A record arrives, and before it everything that it is not the first of."""
        assert self.link is not None
        own = await self.publish()
        while self.client.got[-1:] != [own]:
            self.client.take(await self.link.next())
        self.client.check_whole()

    async def drop(self):
        """The data socket is cut; what was on its way is gone."""
        assert self.link is not None
        self.link.abort()
        await self.data.aclose()
        self.link = None

    async def resume(self):
        self.link = await self.data.enter_async_context(opened(self.running, "data"))
        await self.link.say({"session_token": self.token, **self.component})
        await self.link.hear("ACK")
        cursor = self.client.cursor
        place = {"cursor": wire.cursor_frame(cursor)} if cursor else {}
        wanted = [{"topic": TOPIC, **place}]
        await self.link.say({"COMMAND": "SUBSCRIBE", "id": 1, "topics": wanted})
        answer = await self.link.hear("SUBSCRIBED")
        self.client.resumed(*answer["topics"])
        self.client.take(answer)
        await self.line.say({"COMMAND": "READY"})

    async def end(self):
        """The session stops; who has everything gets a receipt."""
        assert self.link is not None
        await remote.order(self.running, self.session, "stop")
        while not self.client.receipts:
            self.client.take(await self.link.next())

    # Faults

    async def restart(self):
        """The server ends in order and begins again; its memory is lost, a Valkey is not."""
        port = str(urlsplit(self.running.url).port)
        if self.store is None:
            self.forget()
        self.running.stop()
        await self.data.aclose()
        await self.control.aclose()
        self.served.close()
        self.running = self.served.enter_context(self.here.serve("--port", port, **self.settings))
        await self.join()
        await self.resume()

    async def trim(self):
        """Retention takes the oldest record."""
        self.chronicle.trimmed.append(self.chronicle.standing[self.first])
        self.first += 1
        await self.harm("trim")

    async def rollback(self):
        """The store loses the newest record."""
        del self.chronicle.standing[self.head]
        await self.harm("rollback")

    async def wipe(self):
        """The store comes back empty, and the link is cut with it."""
        if self.link:
            await self.drop()
        self.forget()
        await self.harm("wipe")

    async def harm(self, fault: str):
        assert self.store is not None
        log = await self.store.open((self.session, TOPIC))
        await log.refresh()
        await getattr(self.store, fault)(log)
        await self.publish()

    def forget(self):
        self.chronicle.forget()
        self.first = self.head = 0

    async def join(self):
        """Register, as the same component after the first time."""
        self.line = await self.control.enter_async_context(opened(self.running, "control"))
        own = {"session_token": self.token, "topics": [TOPIC], "proto": {"v": 1}}
        await self.line.say({**own, **self.component})
        self.component = {"component_id": (await self.line.hear("ACK"))["component_id"]}
