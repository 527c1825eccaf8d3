import asyncio
import socket
from typing import Any

import pytest

from components.sdk import Gap, Rewind, Subscription
from streaming.core import errors, frames
from tests.integration.components.fake import COMPONENT, FakeAegis
from tests.integration.components.sdk_help import KLINES, component, seqs, take, until

FROM_START = Subscription(KLINES, start="earliest")


@pytest.fixture
async def aegis():
    async with FakeAegis() as server:
        yield server


async def serve_until_over(aegis, sma):
    async with asyncio.timeout(10):
        await sma.serve()


# The data socket alone


async def test_data_socket_that_breaks_goes_on_where_it_was(aegis):
    await aegis.append(KLINES, 1, 2)
    async with component(aegis, FROM_START) as sma:
        source = sma.records()
        before = await take(source, 2)

        aegis.data.socket.transport.abort()
        await aegis.append(KLINES, 3, 4)
        after = await take(source, 2)

    assert seqs([*before, *after]) == [1, 2, 3, 4]
    assert aegis.subscribes[-1].requests[0].cursor.seq == 2
    assert len(aegis.registers) == 1
    assert aegis.said.count("READY") == 1


@pytest.mark.parametrize("code", [4101, 4104, 4200, 4202, 1011])
async def test_data_socket_comes_back_after_temporary_closes(aegis, code):
    await aegis.append(KLINES, 1)
    async with component(aegis, FROM_START) as sma:
        source = sma.records()
        await take(source, 1)

        await aegis.data.socket.close(code)
        await aegis.append(KLINES, 2)

        assert seqs(await take(source, 1)) == [2]


async def test_data_socket_that_cannot_be_reached_is_tried_again(aegis):
    aegis.unavailable = 3

    async with component(aegis) as sma:
        assert await sma.running()

    assert aegis.unavailable == 0
    assert len(aegis.registers) == 1


async def test_data_socket_of_a_draining_server_comes_back_when_it_was_told(aegis):
    async with component(aegis) as sma:
        await sma.running()
        first = aegis.data
        retry = frames.error(errors.Draining(retry_ms=20))

        await first.say(retry)
        await first.socket.close(4200)

        await until(lambda: aegis.data not in {None, first})


async def test_data_socket_that_is_refused_for_good_ends_the_component(aegis):
    aegis.data_refusal = errors.ConnectionForbidden("Not you.")

    with pytest.raises(errors.ConnectionForbidden, match="Not you"):
        await serve_until_over(aegis, component(aegis))


async def test_frames_that_are_none_are_a_broken_connection(aegis):
    await aegis.append(KLINES, 1)
    async with component(aegis, FROM_START) as sma:
        source = sma.records()
        await take(source, 1)

        await aegis.data.socket.send("nonsense")
        await until(lambda: aegis.data is None)
        await aegis.append(KLINES, 2)

        assert seqs(await take(source, 1)) == [2]


# Both sockets


async def test_component_comes_back_as_itself_with_its_cursors(aegis):
    await aegis.append(KLINES, 1, 2)
    async with component(aegis, FROM_START) as sma:
        source = sma.records()
        before = await take(source, 2)

        aegis.control.socket.transport.abort()
        await until(lambda: len(aegis.registers) == 2)
        await aegis.append(KLINES, 3)
        after = await take(source, 1)

    assert seqs([*before, *after]) == [1, 2, 3]
    assert aegis.registers[0].component_id is None
    assert aegis.registers[1].component_id == COMPONENT
    assert aegis.said.count("READY") == 2


async def test_topics_seen_through_a_pattern_keep_their_cursors(aegis):
    await aegis.append("a.x", 1)
    async with component(aegis, Subscription("a.*", start="earliest")) as sma:
        source = sma.records()
        await take(source, 1)

        aegis.data.socket.transport.abort()
        await until(lambda: aegis.data is None)
        await aegis.append("a.x", 2)
        after = await take(source, 1)

    assert seqs(after) == [2]
    assert [
        (each.topic, each.cursor and each.cursor.seq) for each in aegis.subscribes[-1].requests
    ] == [
        ("a.x", 1),
        ("a.*", None),
    ]


@pytest.mark.parametrize(
    "error",
    [
        errors.OverCapacity(),
        errors.StoreDown(),
        errors.StreamFailed(),
        errors.PartnerLost(),
    ],
)
async def test_temporary_refusal_is_tried_again(aegis, error):
    aegis.refusal = error

    async with component(aegis) as sma:
        assert await sma.running()

    assert len(aegis.registers) == 2


@pytest.mark.parametrize(
    "error",
    [
        errors.ProtocolError("Reason."),
        errors.TokenInvalid("Reason."),
        errors.TokenExpired("Reason."),
        errors.ConnectionForbidden("Reason."),
        errors.SessionGone("Reason."),
        errors.ConnectionReplaced("Reason."),
        errors.UnknownTopic("Reason."),
    ],
)
async def test_permanent_refusal_is_raised_with_its_class_and_message(aegis, error):
    aegis.refusal = error

    with pytest.raises(type(error), match="Reason"):
        await serve_until_over(aegis, component(aegis))

    assert len(aegis.registers) == 1


async def test_refusal_is_raised_by_everything_that_waits(aegis):
    aegis.refusal = errors.TokenInvalid()
    sma = component(aegis)

    with pytest.raises(errors.TokenInvalid):
        await sma.running()
    with pytest.raises(errors.TokenInvalid):
        await sma.publish("a", 1)
    with pytest.raises(errors.TokenInvalid):
        await anext(sma.records())

    await sma.close()


async def test_close_code_alone_is_raised_as_its_class(aegis):
    async with component(aegis) as sma:
        serving = asyncio.create_task(sma.serve())
        await sma.running()

        await aegis.control.socket.close(4007)

        with pytest.raises(errors.ConnectionReplaced):
            await serving


async def test_drained_component_comes_back_after_the_time_it_was_told(aegis):
    async with component(aegis) as sma:
        await sma.running()

        await aegis.control.perform(aegis.control.handshake.drain(10))
        await until(lambda: len(aegis.registers) == 2)

        assert await sma.running()


async def test_silent_server_is_left_and_tried_again(aegis):
    aegis.is_silent = True
    async with component(aegis) as sma:
        await until(lambda: len(aegis.registers) == 2)
        aegis.is_silent = False

        assert await sma.running()


async def test_server_that_is_not_there_yet_is_waited_for():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    aegis = FakeAegis()
    sma = component(aegis.at(port))
    serving = asyncio.create_task(sma.serve())

    async with aegis:
        await until(lambda: aegis.control is not None)
        await sma.running()
        await aegis.stop()
        await serving

    assert len(aegis.registers) == 1


# Ends


@pytest.mark.parametrize("is_over", [False, True])
async def test_component_returns_when_its_session_lets_it_go(aegis, is_over):
    sma = component(aegis)
    serving = asyncio.create_task(serve_until_over(aegis, sma))
    await until(lambda: aegis.data is not None)

    await aegis.stop(is_over=is_over)
    await serving

    assert not await sma.running()
    assert len(aegis.registers) == 1


async def test_everything_before_the_end_is_delivered(aegis):
    aegis.batch_size = 1
    sma = component(aegis)
    heard: list[Any] = []
    sma.on(KLINES, start="earliest")(lambda record: heard.append(record.seq))
    await aegis.append(KLINES, *range(200))
    serving = asyncio.create_task(serve_until_over(aegis, sma))
    await until(lambda: aegis.data is not None and aegis.data.next.get(KLINES) == 201)

    await aegis.stop()
    await serving

    assert heard == list(range(1, 201))


async def test_component_that_stays_registers_again_after_a_stop_until_the_end(aegis):
    sma = component(aegis, stay=True)
    serving = asyncio.create_task(serve_until_over(aegis, sma))
    await until(lambda: aegis.data is not None)

    await aegis.stop()
    await until(lambda: len(aegis.registers) == 2 and aegis.data is not None)
    await aegis.stop(is_over=True)
    await serving

    assert len(aegis.registers) == 2


async def test_component_that_stays_leaves_when_its_work_is_done(aegis):
    async with component(aegis, stay=True) as sma:
        await sma.running()
        await sma.finish()

    assert not await sma.running()
    assert len(aegis.registers) == 1
    assert aegis.said.count("FINISHED") == 1


# What the log lost meanwhile


async def test_new_epoch_is_told_as_a_gap_of_unknown_size(aegis):
    heard: list[Any] = []
    await aegis.append(KLINES, 1, 2, 3)
    async with component(aegis, KLINES) as sma:
        sma.on(Gap)(heard.append)
        sma.on(KLINES)(lambda record: heard.append(record.data))
        serving = asyncio.create_task(sma.serve())
        await until(lambda: aegis.asked)
        await aegis.append(KLINES, 4)
        await until(lambda: heard == [4])
        previous = {"epoch": "00000000000000aa", "seq": 4, "ck": aegis.log(KLINES).ck(4).hex()}
        log = aegis.log(KLINES)
        log.epoch, log.texts = "00000000000000bb", [b"10"]

        aegis.data.socket.transport.abort()
        await until(lambda: len(heard) == 2)
        await aegis.append(KLINES, 11)
        await until(lambda: len(heard) == 3)
        await aegis.stop()
        await serving

    gap = Gap(
        topic=KLINES,
        epoch="00000000000000bb",
        first=None,
        last=None,
        count=None,
        reason="epoch",
        next=2,
        previous=previous,
    )
    assert heard == [4, gap, 11]


async def test_rolled_back_log_is_told_as_a_rewind_to_the_last_common_record(aegis):
    heard: list[Any] = []
    aegis.batch_size = 20
    await aegis.append(KLINES, *range(1, 41))
    async with component(aegis) as sma:
        sma.on(Rewind)(heard.append)
        sma.on(KLINES, start="earliest")(lambda record: heard.append(record.data))
        serving = asyncio.create_task(sma.serve())
        await until(lambda: len(heard) == 40)
        log = aegis.log(KLINES)
        log.texts = [*log.texts[:30], *(b"%d" % n for n in range(131, 141))]

        aegis.data.socket.transport.abort()
        await until(lambda: len(heard) == 40 + 1 + 20)
        await aegis.stop()
        await serving

    rewind = Rewind(topic=KLINES, epoch=log.epoch, to=20, reason="rollback")
    assert heard[40:] == [rewind, *range(21, 31), *range(131, 141)]
