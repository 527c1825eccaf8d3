import asyncio
from typing import Any

import msgspec
import pytest

from aegis_project.kit.errors import AegisError, NotAuthenticated
from components.core.errors import ComponentClosed
from components.core.heartbeat import Beats
from components.core.lifecycle import Role
from components.core.messages import Proto, Register
from components.sdk import (
    Component,
    FileCursors,
    Gap,
    MemoryCursors,
    Published,
    Record,
    Standing,
    Subscription,
    TokenExpiring,
)
from streaming.core import frames, messages
from streaming.core.errors import StoreDown, TopicForbidden, UnknownTopic
from tests.integration.components.fake import COMPONENT, SESSION, TOKEN, FakeAegis
from tests.integration.components.sdk_help import KLINES, component, seqs, take, until


@pytest.fixture
async def aegis():
    async with FakeAegis() as server:
        yield server


# Registering


async def test_component_registers_says_hello_subscribes_and_is_ready(aegis):
    async with component(aegis, KLINES, "trades.*", role="strategy") as sma:
        is_running = await sma.running()

        assert is_running
        assert (sma.component_id, sma.name, sma.session_id) == (COMPONENT, "sma", SESSION)
        assert sma.standing == Standing("running", "running")
    assert aegis.registers == [
        Register(
            session_token=TOKEN,
            topics=(KLINES,),
            name="sma",
            role=Role.STRATEGY,
            proto=Proto(v=1, batch=True, window=0),
        )
    ]
    assert aegis.subscribes[0] == messages.Subscribe(
        aegis.subscribes[0].id, (messages.Request(KLINES), messages.Request("trades.*"))
    )
    assert aegis.said[:2] == ["", "READY"]


async def test_component_finds_its_place_in_the_environment(aegis, monkeypatch):
    monkeypatch.setenv("AEGIS_URL", aegis.url)
    monkeypatch.setenv("AEGIS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AEGIS_COMPONENT_ID", COMPONENT)

    async with Component() as anonymous:
        await anonymous.running()

    assert aegis.registers[0].component_id == COMPONENT


def test_component_without_a_token_says_what_is_missing(monkeypatch):
    monkeypatch.delenv("AEGIS_SESSION_TOKEN", raising=False)

    with pytest.raises(NotAuthenticated, match="AEGIS_SESSION_TOKEN"):
        Component()


async def test_component_beats_by_itself(aegis):
    async with component(aegis):
        await until(lambda: aegis.said.count("HEARTBEAT") >= 2)


async def test_component_that_leaves_in_order_says_finished(aegis):
    async with component(aegis) as sma:
        await sma.running()

    assert aegis.said[-1] == "FINISHED"


async def test_component_that_fails_leaves_without_a_word(aegis):
    async def fail():
        async with component(aegis) as sma:
            await sma.running()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert "FINISHED" not in aegis.said


# Receiving


@pytest.mark.parametrize("batch", [True, False])
async def test_records_come_in_order_with_their_data_and_positions(aegis, batch):
    await aegis.append(KLINES, *({"close": n} for n in range(1, 251)))

    async with component(aegis, batch=batch) as sma:
        sma.on(KLINES, start="earliest")(lambda _: None)
        records = await take(sma.records(), 250)

    log = aegis.log(KLINES)
    assert records == [
        Record(
            topic=KLINES,
            seq=seq,
            ts=1000 * seq,
            data={"close": seq},
            raw=msgspec.Raw(b'{"close": %d}' % seq),
            epoch=log.epoch,
            ck=log.ck(seq),
            n=None,
        )
        for seq in range(1, 251)
    ]


async def test_functions_get_the_records_of_their_topics(aegis):
    heard: list[Any] = []
    sma = component(aegis)

    @sma.on("klines.**", start="earliest")
    def on_kline(record):
        heard.append(("kline", record.topic))

    @sma.on("*.BTCUSDT", start="earliest")
    async def on_btc(record):
        await asyncio.sleep(0)
        heard.append(("btc", record.topic))

    await aegis.append(KLINES, 1)
    await aegis.append("trades.BTCUSDT", 1)
    serving = asyncio.create_task(sma.serve())
    await until(lambda: len(heard) == 2)
    await aegis.stop()
    await serving

    assert sorted(heard) == [("btc", "trades.BTCUSDT"), ("kline", KLINES)]


async def test_topic_that_appears_later_is_followed_from_its_beginning(aegis):
    async with component(aegis, "signals.*") as sink:
        await sink.running()
        await aegis.append("signals.BTCUSDT", "up", "down")

        records = await take(sink.records(), 2)

    assert [(record.topic, record.data) for record in records] == [
        ("signals.BTCUSDT", "up"),
        ("signals.BTCUSDT", "down"),
    ]


async def test_gap_is_told_before_what_follows_it(aegis):
    heard: list[Any] = []
    await aegis.append(KLINES, 1)
    async with component(aegis) as sma:
        sma.on(KLINES, start="earliest")(lambda record: heard.append(record.seq))
        sma.on(Gap)(heard.append)
        serving = asyncio.create_task(sma.serve())
        await until(lambda: heard == [1])
        aegis.state = "paused"
        await aegis.append(KLINES, 2, 3, 4)
        aegis.state = "running"

        await aegis.data.skip(KLINES, 2)
        await until(lambda: len(heard) == 3)
        await aegis.stop()
        await serving

    assert heard == [
        1,
        Gap(
            topic=KLINES,
            epoch=aegis.log(KLINES).epoch,
            first=2,
            last=3,
            count=2,
            reason="overrun",
            next=4,
        ),
        4,
    ]


async def test_policy_and_key_are_asked_for(aegis):
    book = Subscription("orderbook.*", policy="conflate", key="symbol")

    async with component(aegis, book, Subscription(KLINES, start="latest-5")) as sma:
        await sma.running()

    assert [(each.topic, each.policy, each.key) for each in aegis.subscribes[0].requests] == [
        ("orderbook.*", "conflate", "symbol"),
        (KLINES, None, None),
    ]
    assert aegis.subscribes[0].requests[1].begin.value == 5


async def test_topics_can_be_followed_and_left_at_any_time(aegis):
    await aegis.append(KLINES, 1)
    async with component(aegis) as sma:
        await sma.running()

        await sma.subscribe(KLINES, start="earliest")
        first = await take(sma.records(), 1)
        await sma.unsubscribe(KLINES)
        await sma.pause("other")
        await sma.resume("other")
        await until(lambda: len(aegis.asked) == 4)

    assert seqs(first) == [1]
    assert aegis.asked[1:] == [
        messages.Unsubscribe(aegis.asked[1].id, (KLINES,)),
        messages.Hold("other", is_paused=True),
        messages.Hold("other", is_paused=False),
    ]


async def test_refused_topic_is_raised_where_it_was_asked_for(aegis):
    aegis.forbidden.add("secret")
    async with component(aegis) as sma:
        await sma.running()

        with pytest.raises(UnknownTopic, match="secret"):
            await sma.subscribe("secret")


async def test_refused_topic_of_the_start_ends_the_component(aegis):
    aegis.forbidden.add("secret")

    with pytest.raises(UnknownTopic):
        await component(aegis, "secret").serve()


async def test_refused_topic_of_the_start_goes_to_who_wants_to_hear_of_it(aegis):
    aegis.forbidden.add("secret")
    heard: list[Any] = []

    async with component(aegis, "secret") as sma:
        sma.on(AegisError)(lambda error: heard.append(error.code))
        await sma.running()

    assert heard == ["UNKNOWN_TOPIC"]


async def test_topic_that_cannot_be_had_now_is_asked_for_again_before_ready(aegis):
    aegis.away[KLINES] = StoreDown()
    aegis.away["other"] = StoreDown()
    heard: list[Any] = []

    async with component(aegis, KLINES, "third", "other") as sma:
        sma.on(AegisError)(lambda error: heard.append(error.code))
        await sma.running()

    asked = [{one.topic for one in frame.requests} for frame in aegis.asked]
    assert asked == [{KLINES, "third", "other"}, {KLINES, "other"}]
    assert heard == ["STORE_DOWN"] * 2


async def test_topic_that_nobody_follows_any_more_is_not_asked_for_again(aegis):
    aegis.away[KLINES] = StoreDown()

    async with component(aegis, KLINES) as sma:
        sma.on(AegisError)(lambda _: sma._life.streams.drop(KLINES))
        await sma.running()

    assert len(aegis.asked) == 1


async def test_exception_in_a_function_fails_the_component(aegis):
    await aegis.append(KLINES, 1)
    sma = component(aegis)

    @sma.on(KLINES, start="earliest")
    def broken(record):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await sma.serve()

    assert aegis.said[-1] == "ERROR"


async def test_states_are_told_as_they_change(aegis):
    heard: list[Any] = []
    aegis.state = "paused"
    sma = component(aegis)

    @sma.on(Standing)
    async def on_standing(standing):
        heard.append(standing)

    async with sma:
        await until(lambda: heard)
        await aegis.move("running")

        assert await sma.running()

    assert heard[:2] == [Standing("paused", "ready"), Standing("running", "running")]


# Commits


async def test_processed_records_are_committed_and_their_cursors_kept(aegis):
    store = MemoryCursors()
    await aegis.append(KLINES, 1, 2, 3)

    async with component(aegis, Subscription(KLINES, start="earliest"), cursors=store) as sma:
        source = sma.records()
        await take(source, 2)
        nothing = store.load()
        records = await take(source, 1)
        await sma.commit(records[0])
        cursor = store.load()[KLINES]
        await until(lambda: messages.Commit({KLINES: 3}) in aegis.asked)

    assert nothing == {}
    assert (cursor.seq, cursor.ck) == (3, aegis.log(KLINES).ck(3))


async def test_batches_are_committed_at_once_with_a_window(aegis):
    await aegis.append(KLINES, 1, 2, 3)
    beats = Beats(interval_seconds=1000)

    async with component(aegis, Subscription(KLINES, start="earliest"), window=2, beats=beats) as a:
        serving = asyncio.create_task(a.serve())
        await until(lambda: messages.Commit({KLINES: 3}) in aegis.asked)
        await aegis.stop()
        await serving

    assert aegis.registers[0].proto.window == 2


async def test_component_goes_on_after_its_own_restart(aegis, tmp_path):
    path = tmp_path / "cursors.json"
    await aegis.append(KLINES, 1, 2, 3)
    async with component(
        aegis, Subscription(KLINES, start="earliest"), cursors=FileCursors(path)
    ) as sma:
        before = await take(sma.records(), 3)
        await sma.commit(before[1])

    async with component(aegis, KLINES, cursors=FileCursors(path)) as sma:
        await aegis.append(KLINES, 4)
        after = await take(sma.records(), 2)

    assert seqs(after) == [3, 4]


async def test_nothing_is_committed_unasked_without_auto_commit(aegis):
    store = MemoryCursors()
    await aegis.append(KLINES, 1, 2)
    start = Subscription(KLINES, start="earliest")

    async with component(aegis, start, cursors=store, auto_commit=False) as sma:
        source = sma.records()
        await take(source, 2)
        await until(lambda: aegis.said.count("HEARTBEAT") >= 2)
    nothing = store.load()
    async with component(aegis, start, cursors=store, auto_commit=False) as sma:
        batches = sma.batches()
        await anext(batches)
        following = asyncio.create_task(anext(batches))
        await asyncio.sleep(0)
        await sma.commit()
        following.cancel()

    assert nothing == {}
    assert store.load()[KLINES].seq == 2


# Publishing


async def test_records_are_published_alone_together_and_confirmed(aegis):
    async with component(aegis) as feed:
        await feed.publish("a.b", {"x": 1})
        await feed.publish_many("a.b", [2, msgspec.Raw(b'{"y": 3.10}')])
        published = await feed.append("a.b", 4, 5)

    assert aegis.log("a.b").texts == [b'{"x":1}', b"2", b'{"y": 3.10}', b"4", b"5"]
    assert published == Published("a.b", aegis.log("a.b").epoch, 4, 5)


async def test_refused_record_is_raised(aegis):
    aegis.forbidden.add("ledger")

    async with component(aegis) as feed:
        with pytest.raises(TopicForbidden):
            await feed.append("ledger", 1)


async def test_answer_is_found_behind_a_full_inbox(aegis):
    aegis.batch_size = 1
    await aegis.append(KLINES, *range(300))
    sma = component(aegis)
    answers = []

    @sma.on(KLINES, start="earliest")
    async def answer(record):
        if record.seq == 1:
            answers.append(await sma.append("out", "first"))
        if record.seq == 300:
            await aegis.stop()

    async with asyncio.timeout(20):
        await sma.serve()

    assert answers == [Published("out", aegis.log("out").epoch, 1, 1)]


async def test_what_is_cut_off_before_its_answer_is_said_again_and_stands_once(aegis):
    aegis.answers_publish = False
    async with component(aegis) as feed:
        asked = asyncio.create_task(feed.append("a", 1))
        await until(lambda: len(aegis.log("a").texts) == 1)

        aegis.answers_publish = True
        aegis.data.socket.transport.abort()
        first = await asked
        second = await feed.append("a", 2)

    assert aegis.log("a").texts == [b"1", b"2"]
    assert [one.last for one in (first, second)] == [1, 2]
    said = [one.producer for one in aegis.asked if isinstance(one, messages.Publish)]
    assert said[0] is not None
    _, life, _ = said[0]
    assert said == [("", life, 1), ("", life, 1), ("", life, 2)]


async def test_component_that_is_closed_publishes_nothing(aegis):
    feed = component(aegis)

    with pytest.raises(ComponentClosed):
        await feed.publish("a", 1)


# Tokens


async def test_new_token_follows_the_one_that_expires(aegis):
    heard: list[Any] = []
    async with component(aegis) as sma:
        sma.on(TokenExpiring)(heard.append)
        await sma.running()
        await aegis.control.socket.send(frames.encode({"COMMAND": "TOKEN_EXPIRING", "exp": 5}))
        await until(lambda: heard)

        await sma.refresh("another")
        await until(lambda: "REFRESH" in aegis.said)

    assert heard == [TokenExpiring(5)]
