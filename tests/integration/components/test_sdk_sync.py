import asyncio
import contextlib
import threading

import pytest

from components.core.errors import ComponentClosed
from components.sdk import Component, Gap, Published, Subscription, sync
from streaming.core.errors import TokenInvalid, TopicForbidden
from streaming.core.messages import Commit, Hold, Unsubscribe
from tests.integration.components.fake import COMPONENT, FAST, TOKEN, FakeAegis
from tests.integration.components.sdk_help import KLINES, QUICK, until


class Served:
    """The fake server on a thread, for tests that block."""

    def __init__(self):
        self.aegis = FakeAegis()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)

    def wait(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=10)

    def __enter__(self):
        self.thread.start()
        self.wait(self.aegis.__aenter__())
        return self

    def __exit__(self, *_):
        self.wait(self.aegis.__aexit__())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def served():
    with Served() as server:
        yield server


def component(served, *topics, token=TOKEN):
    return sync.Component(
        "sma", topics=topics, url=served.aegis.url, token=token, beats=FAST, backoff=QUICK
    )


def test_records_come_until_the_session_stops(served):
    served.wait(served.aegis.append(KLINES, 1, 2, 3))
    heard = []

    with component(served, Subscription(KLINES, start="earliest")) as sma:
        for record in sma.records():
            heard.append((record.seq, record.data))
            if record.seq == 3:
                sma.commit(record)
                served.wait(until(lambda: Commit({KLINES: 3}) in served.aegis.asked))
                served.wait(served.aegis.stop())
        is_running = sma.running()

    assert heard == [(1, 1), (2, 2), (3, 3)]
    assert not is_running
    with pytest.raises(ComponentClosed):
        sma.publish("a", 1)


def test_everything_can_be_said_from_blocking_code(served):
    with component(served) as feed:
        is_running = feed.running()
        feed.publish("a", 1)
        feed.publish_many("a", [2, 3])
        published = feed.append("a", 4)
        feed.subscribe("b")
        feed.unsubscribe("b")
        feed.pause("c")
        feed.resume("c")
        served.wait(until(lambda: Hold("c", is_paused=False) in served.aegis.asked))
        identity = (feed.component_id, feed.name)
        feed.finish()

    asked = served.aegis.asked
    assert is_running
    assert identity == (COMPONENT, "sma")
    assert served.aegis.log("a").texts == [b"1", b"2", b"3", b"4"]
    assert published == Published("a", served.aegis.log("a").epoch, 4, 4)
    assert asked[-3:] == [
        Unsubscribe(asked[-3].id, ("b",)),
        Hold("c", is_paused=True),
        Hold("c", is_paused=False),
    ]
    assert served.aegis.said[-1] == "FINISHED"


def test_errors_are_those_of_the_asynchronous_form(served):
    served.aegis.forbidden.add("ledger")

    with component(served) as feed, pytest.raises(TopicForbidden):
        feed.append("ledger", 1)
    with component(served, token="wrong") as feed, pytest.raises(TokenInvalid):
        list(feed.records())


def test_iteration_can_be_left(served):
    served.wait(served.aegis.append(KLINES, 1, 2))

    sma = component(served, Subscription(KLINES, start="earliest"))
    with sma, contextlib.closing(sma.batches()) as batches:
        first = next(batches)

    assert not any(isinstance(event, Gap) for event in first.events)
    assert [event.seq for event in first.events] == [1, 2]


def test_component_can_be_the_whole_program(served):
    served.wait(served.aegis.append(KLINES, 1))
    sma = Component("sma", url=served.aegis.url, token=TOKEN, beats=FAST, backoff=QUICK)
    heard = []

    @sma.on(KLINES, start="earliest")
    async def on_kline(record):
        heard.append(record.data)
        await asyncio.to_thread(served.wait, served.aegis.stop())

    sma.run()

    assert heard == [1]
