import asyncio
from uuid import uuid4

import pytest
from django.utils import timezone

from aegis_project.database import atomic, run_db
from streaming import models
from streaming.core import position
from streaming.core.errors import TopicNotFound, TopicReadOnly
from streaming.core.messages import Request
from streaming.core.resume import Start
from streaming.engines.memory import MemoryEngine
from streaming.engines.rows import RowEngine
from streaming.hints import Hint
from streaming.hub import Hub, Limits
from streaming.services import ledger
from tests import factories
from tests.hubs import Client, Reader, seat, settle, until

pytestmark = pytest.mark.django_db(transaction=True)

RUN = "runs.5f0c"
EPOCH = "e" * 16


def make_session():
    return str(factories.session().pk)


def append_event(session_id, count=1):
    for n in range(count):
        with atomic():
            ledger.append(session_id=session_id, type="note", actor="test", n=n)


def append_output(session_id, *texts, name=RUN, ts=1000):
    """Write a run's output as its writer does: rows first, then the head."""
    log, _ = models.Log.objects.get_or_create(
        session_id=session_id,
        name=name,
        defaults={"epoch": EPOCH, "ck": position.genesis(name, EPOCH).hex()},
    )
    for text in texts:
        log.head += 1
        log.ck = position.chain(bytes.fromhex(log.ck), log.head, text).hex()
        models.Record.objects.create(
            log=log, epoch=log.epoch, seq=log.head, ck=log.ck, ts=ts, body=text
        )
    log.save()
    return log


@pytest.fixture
async def session_id():
    return await run_db(make_session)


@pytest.fixture
def engine():
    return RowEngine()


async def test_ledger_is_read_as_it_was_written(engine, session_id):
    await run_db(append_event, session_id, 3)

    log = await engine.open((session_id, "ledger"))

    rows = await run_db(
        lambda: list(models.Event.objects.filter(log__session=session_id).order_by("seq"))
    )
    cut = await log.read(0)
    assert (log.start, log.head, log.ck.hex()) == (1, len(rows), rows[-1].ck)
    assert cut.data == [row.body.encode() for row in rows]
    assert cut.ts == [int(row.ts.timestamp() * 1000) for row in rows]
    assert cut.ck == log.ck
    assert [await log.match(seq) for seq in range(len(rows) + 2)] == [
        position.genesis("ledger", log.epoch),
        *[bytes.fromhex(row.ck) for row in rows],
        None,
    ]


async def test_output_of_a_run_is_read_as_bytes(engine, session_id):
    await run_db(append_output, session_id, b'{ "a":1}', '"é"'.encode())

    log = await engine.open((session_id, RUN))

    cut = await log.read(1)
    assert (cut.first, cut.data, cut.ts, cut.ck) == (2, ['"é"'.encode()], [1000], log.ck)
    assert (await log.read(0, max_bytes=1)).data == [b'{ "a":1}']
    assert (await log.read(0, limit=1)).last == 1
    assert await log.read(2) is None


async def test_first_row_at_or_after_a_time_is_found(engine, session_id):
    await run_db(append_output, session_id, b"1", ts=10)
    await run_db(append_output, session_id, b"2", ts=20)
    await run_db(append_event, session_id)
    output = await engine.open((session_id, RUN))
    events = await engine.open((session_id, "ledger"))

    now = int(timezone.now().timestamp() * 1000)
    assert [await output.seq_at(ts) for ts in (0, 11, 21)] == [1, 2, 3]
    assert await events.seq_at(0) == 1
    assert await events.seq_at(now + 60_000) == events.head + 1
    assert await events.seq_at(2**53) == events.head + 1


async def test_only_rows_that_exist_are_logs_of_this_engine(engine, session_id):
    assert await engine.open((session_id, "klines.BTC")) is None
    assert await engine.open((session_id, "runs.none")) is None
    assert await engine.open((str(uuid4()), "ledger")) is None
    assert await engine.open(("no uuid", "ledger")) is None


async def test_log_is_one_object_while_it_is_held(engine, session_id):
    logs = await asyncio.gather(*[engine.open((session_id, "ledger")) for _ in range(5)])

    assert len({id(log) for log in logs}) == 1
    assert await engine.open((session_id, "ledger")) is logs[0]


async def test_rows_cannot_be_written_through_a_hub(engine, session_id):
    log = await engine.open((session_id, "ledger"))

    with pytest.raises(TopicReadOnly):
        await log.append([(1, b"1")])
    with pytest.raises(TopicReadOnly):
        await log.fence(log.epoch, "f" * 16)


async def test_head_moves_when_it_is_asked(engine, session_id):
    log = await engine.open((session_id, "ledger"))
    before = (log.head, log.ck)

    await run_db(append_event, session_id)

    assert (log.head, log.ck) == before
    assert await log.refresh() is True
    assert await log.refresh() is False
    assert log.head == before[0] + 1
    assert await log.match(before[0]) == before[1]


async def test_wait_tells_what_moved_and_what_is_new(engine, session_id):
    log = await engine.open((session_id, "ledger"))
    await run_db(append_output, session_id, b"1")

    nothing = await engine.wait({(session_id, "ledger")}, 0)
    new = await engine.wait({(session_id, "")}, 0)
    again = await engine.wait({(session_id, "")}, 0)
    await run_db(append_event, session_id)
    moved = await engine.wait({(session_id, "ledger")}, 0)

    assert (nothing, again) == (set(), set())
    assert new == {(session_id, "ledger"), (session_id, RUN)}
    assert set(engine.names(session_id)) == {"ledger", RUN}
    assert moved == {(session_id, "ledger")}
    assert log.head == 2
    await engine.forget(session_id)
    assert engine.names(session_id) == ()


async def test_hint_brings_the_look_forward(engine, session_id):
    log = await engine.open((session_id, "ledger"))
    waiting = asyncio.create_task(engine.wait({log.key}, 60))
    await asyncio.sleep(0)

    await run_db(append_event, session_id)
    engine.hear(session_id)

    assert await waiting == {log.key}


async def test_new_epoch_of_a_restored_ledger_is_taken_over(engine, session_id):
    log = await engine.open((session_id, "ledger"))

    await run_db(lambda: models.Log.objects.filter(session=session_id).update(epoch="f" * 16))

    assert await log.refresh() is True
    assert log.epoch == "f" * 16


async def test_output_behind_retention_is_known_by_its_anchor(engine, session_id):
    def trim(start):
        models.Record.objects.filter(seq__lt=start - 1).delete()
        models.Log.objects.filter(name=RUN).update(start=start)

    await run_db(append_output, session_id, b"1", b"2", b"3")
    await run_db(trim, 3)

    log = await engine.open((session_id, RUN))

    assert (await log.read(0)).first == 3
    assert await log.match(1) is None
    assert await log.match(2) is not None


# Behind the hub


@pytest.fixture
async def hub(engine):
    hub = Hub(engines=[engine, MemoryEngine()], limits=Limits(look_seconds=0.2))
    await hub.start()
    yield hub
    await hub.stop()


async def test_subscriber_follows_the_ledger_by_hints(hub, session_id):
    client, reader = Client(), Reader()
    own = seat(session_id=session_id)
    await hub.subscribe(own, client.send, [Request("ledger", Start("earliest"))])

    for _ in range(3):
        await run_db(append_event, session_id, 2)
        hub.hear(Hint("ledger", session_id))
    await until(lambda: len(client.seqs) == 7)

    track = reader.read(client).tracks["ledger"]
    assert (track.seq, track.missing) == (7, [])


async def test_subscriber_follows_a_run_without_any_hint(hub, session_id):
    await run_db(append_output, session_id, b"1")
    client = Client()
    await hub.subscribe(seat(session_id=session_id), client.send, [RUN])

    await run_db(append_output, session_id, b"2")
    await until(lambda: client.seqs)

    assert client.records[0][1:] == (2, 2)


async def test_new_run_is_announced_to_who_watches_all_runs(hub, session_id):
    client = Client()
    answer = await hub.subscribe(seat(session_id=session_id), client.send, ["runs.*"])

    await run_db(append_output, session_id, b"1", b"2")
    await until(lambda: len(client.seqs) == 2)

    assert answer["topics"] == []
    assert client.told("SUBSCRIBED")[1]["topics"][0]["topic"] == RUN


async def test_reading_sees_what_is_committed_at_once(hub, session_id):
    key = (session_id, "ledger")
    start, end = await hub.bounds(key)
    await run_db(append_event, session_id)

    cut = await hub.read(key, end.seq)

    assert start == 1
    assert len(cut.data) == 1
    assert await hub.wait(key, cut.last, timeout_seconds=0) is False
    with pytest.raises(TopicNotFound):
        await hub.read((session_id, "runs.none"), 0)


async def test_reader_is_woken_by_a_hint(hub, session_id):
    key = (session_id, "ledger")
    _, end = await hub.bounds(key)
    waiting = asyncio.create_task(hub.wait(key, end.seq, timeout_seconds=10))
    await settle(hub)

    await run_db(append_event, session_id)
    hub.hear(Hint("moved"))

    assert await waiting is True


async def test_lines_that_nobody_uses_are_let_go(engine, session_id):
    hub = Hub(engines=[engine, MemoryEngine()], limits=Limits(unused_seconds=0, look_seconds=0.01))
    await hub.read((session_id, "ledger"), 0)
    await hub.start()
    try:
        await until(lambda: not hub.topics(session_id))
    finally:
        await hub.stop()

    again = await hub.read((session_id, "ledger"), 0)
    assert again is not None
