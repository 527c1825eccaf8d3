import asyncio

import pytest

from components.sdk import Receipt, Record
from tests.integration.components.fake import FakeAegis
from tests.integration.components.sdk_help import KLINES, component, until


@pytest.fixture
async def aegis():
    async with FakeAegis() as server:
        yield server


class Follower:
    """A component that follows one topic and keeps what it hears."""

    def __init__(self, aegis, **options):
        self.aegis = aegis
        self.records: list[Record] = []
        self.receipts: list[Receipt] = []
        self.component = component(aegis, **options)
        self.component.on(KLINES, start="earliest")(self.records.append)
        self.component.on(Receipt)(self.receipts.append)

    async def __aenter__(self):
        self.serving = asyncio.create_task(self.component.serve())
        return self

    async def __aexit__(self, *_):
        await self.aegis.stop()
        await self.serving

    async def heard(self, count):
        await until(lambda: len(self.records) == count)


def receipt(aegis, *, is_verified):
    log = aegis.log(KLINES)
    return Receipt(
        topic=KLINES,
        epoch=log.epoch,
        seq=log.head,
        count=log.head,
        ck=log.ck(log.head).hex(),
        reason="session_stopped",
        is_final=False,
        is_verified=is_verified,
    )


@pytest.mark.parametrize("batch", [True, False])
async def test_receipt_is_verified_from_the_raw_records(aegis, batch):
    await aegis.append(KLINES, {"é": 1}, 2.50, "three", None)

    async with Follower(aegis, batch=batch) as follower:
        await follower.heard(4)

    assert follower.receipts == [receipt(aegis, is_verified=True)]


async def test_receipt_is_verified_over_a_cut(aegis):
    await aegis.append(KLINES, 1, 2)

    async with Follower(aegis) as follower:
        await follower.heard(2)
        aegis.data.socket.transport.abort()
        await until(lambda: aegis.data is None)
        await aegis.append(KLINES, 3)
        await follower.heard(3)

    assert follower.receipts == [receipt(aegis, is_verified=True)]


async def test_receipt_of_a_topic_without_records_is_verified(aegis):
    aegis.log(KLINES)

    async with Follower(aegis) as follower:
        await until(lambda: aegis.data is not None and aegis.data.next)

    assert follower.receipts == [receipt(aegis, is_verified=True)]


async def test_receipt_fails_when_records_are_not_those_that_were_written(aegis):
    await aegis.append(KLINES, 1, 2)

    async with Follower(aegis) as follower:
        await follower.heard(2)
        aegis.log(KLINES).texts[0] = b"9"

    assert follower.receipts == [receipt(aegis, is_verified=False)]


async def test_receipt_fails_when_a_batch_came_changed(aegis):
    aegis.is_lying = True
    await aegis.append(KLINES, 1, 2)

    async with Follower(aegis) as follower:
        await follower.heard(2)

    assert follower.receipts == [receipt(aegis, is_verified=False)]


@pytest.mark.parametrize("batch", [True, False])
async def test_receipt_fails_after_a_gap(aegis, batch):
    async with Follower(aegis, batch=batch) as follower:
        await aegis.append(KLINES, 1)
        await follower.heard(1)
        aegis.state = "paused"
        await aegis.append(KLINES, 2, 3)
        aegis.state = "running"
        await aegis.data.skip(KLINES, 1)
        await follower.heard(2)

    assert follower.receipts == [receipt(aegis, is_verified=False)]


async def test_receipt_fails_when_the_last_records_never_came(aegis):
    await aegis.append(KLINES, 1)

    async with Follower(aegis) as follower:
        await follower.heard(1)
        aegis.log(KLINES).texts.append(b"2")

    assert follower.receipts == [receipt(aegis, is_verified=False)]
