import pytest

from aegis_project.database import run_db
from aegis_project.kit.errors import ServiceUnavailable
from sessions.services import creation
from streaming.core import position
from streaming.core.errors import TopicReadOnly
from streaming.core.messages import Request
from streaming.core.position import Cursor
from streaming.core.resume import Start
from streaming.engines.base import Key
from streaming.models import Log
from streaming.services import leases, listing
from tests.factories import OPERATOR
from tests.hubs import Client, Reader, seat, settle, until
from tests.integration.streaming.taping import TOPIC, Process, bodies, make_session, row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def session_id():
    return await run_db(make_session)


@pytest.fixture
def key(session_id) -> Key:
    return (session_id, TOPIC)


def change(session_id, *rules):
    changes = {"config": {"topics": list(rules)}}
    creation.update(principal=OPERATOR, session=session_id, changes=changes)


# Writing


async def test_published_records_stand_on_the_tape_and_their_row_tells_how_far(session_id, key):
    process = await Process.start()

    end = await process.publish(session_id, b"1", b'{"a":2}')
    is_all = await process.flush()

    log = await run_db(row, key)
    assert is_all
    assert (log.recorded, log.epoch, log.start, log.head) == (True, end.epoch, 1, 2)
    assert log.ck == end.ck.hex()
    assert log.writer_id == process.lease_id
    assert await run_db(bodies, key) == [(1, b"1"), (2, b'{"a":2}')]


async def test_delivery_does_not_wait_for_the_tape(session_id, key):
    process, client = await Process.start(), Client()
    await process.hub.subscribe(seat(session_id=session_id), client.send, [TOPIC])

    await process.publish(session_id, b"1")
    await settle(process.hub)

    assert client.seqs == [1]
    assert await run_db(bodies, key) == []


async def test_topics_that_no_rule_calls_recorded_are_not(session_id):
    only = await run_db(make_session, {"pattern": "trades.*", "recorded": True})
    process = await Process.start()

    await process.publish(only, b"1", topic="klines.BTC")
    await process.publish(only, b"1")
    await process.flush()

    assert await run_db(lambda: list(Log.objects.values_list("name").filter(recorded=True))) == [
        (TOPIC,)
    ]


async def test_more_than_a_group_goes_in_several_and_all_of_it(session_id, key):
    process = await Process.start()
    for n in range(1200):
        await process.publish(session_id, b"%d" % n)
    await process.publish(session_id, b"0", topic="other")

    await process.flush()

    assert process.recorder.groups == 3
    assert process.recorder.records == 1201
    assert await run_db(bodies, key) == [(n + 1, b"%d" % n) for n in range(1200)]


async def test_what_is_not_on_the_tape_stays_in_memory(session_id, key):
    rule = {"pattern": "**", "recorded": True, "retention": {"records": 4}}
    await run_db(change, session_id, rule)
    process = await Process.start()

    for n in range(10):
        await process.publish(session_id, b"%d" % n)
    log = process.log(session_id)
    before = (log.ring, log.start)
    await process.flush()
    await process.publish(session_id, b"10")

    assert before == (1, 1)
    assert (log.ring, log.start, log.head) == (8, 1, 11)


async def test_tape_that_is_too_far_behind_takes_no_more(session_id, monkeypatch):
    monkeypatch.setattr("streaming.engines.reel.MAX_BEHIND", 2)
    process = await Process.start()
    await process.publish(session_id, b"1", b"2")

    with pytest.raises(ServiceUnavailable):
        await process.publish(session_id, b"3")
    await process.flush()

    assert (await process.publish(session_id, b"3")).seq == 3


# Coming back


async def test_log_comes_back_with_its_epoch_and_goes_on(session_id, key):
    first = await Process.start()
    before = await first.publish(session_id, b"1", b"2")
    await first.end()

    second = await Process.start()
    found = await second.hub.bounds(key)
    after = await second.publish(session_id, b"3")
    await second.flush()

    assert found == (1, before)
    assert (after.epoch, after.seq) == (before.epoch, 3)
    assert after.ck == position.chain(before.ck, 3, b"3")
    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2"), (3, b"3")]


async def test_names_of_recorded_topics_are_known_before_they_are_opened(session_id):
    first = await Process.start()
    await first.publish(session_id, b"1")
    await first.publish(session_id, b"1", topic="trades.ETH")
    await first.end()

    second, client = await Process.start(), Client()
    own = seat(session_id=session_id)
    await second.hub.subscribe(own, client.send, [Request("trades.*", Start("earliest"))])
    await settle(second.hub)

    assert await second.hub.board.names(session_id) == [TOPIC, "trades.ETH"]
    await until(lambda: len(client.seqs) == 2)


async def test_cursor_that_the_tape_has_goes_on_with_proof(session_id, key):
    first = await Process.start()
    held = await first.publish(session_id, b"1", b"2")
    await first.publish(session_id, b"3")
    await first.end()

    second, client = await Process.start(), Client()
    cursor = Cursor(held.epoch, held.seq, held.ck)
    asked = [Request(TOPIC, cursor=cursor)]
    await second.hub.subscribe(seat(session_id=session_id), client.send, asked)
    await until(lambda: client.seqs == [3])

    assert client.told("SUBSCRIBED")[0]["topics"][0]["resumed"]
    assert client.told("GAP") == client.told("REWIND") == []


@pytest.mark.parametrize("has_trail", [True, False])
async def test_cursor_ahead_of_what_a_crash_left_is_told_so(session_id, key, has_trail):
    first = await Process.start()
    kept = await first.publish(session_id, b"1")
    await first.flush()
    lost = await first.publish(session_id, b"2")
    await first.die()

    second, client = await Process.start(), Client()
    cursor = Cursor(lost.epoch, lost.seq, lost.ck, ((kept.seq, kept.ck),) if has_trail else ())
    asked = [Request(TOPIC, cursor=cursor)]
    await second.hub.subscribe(seat(session_id=session_id), client.send, asked)
    await second.publish(session_id, b"22")
    await until(lambda: client.seqs == [2])

    rewinds, gaps = client.told("REWIND"), client.told("GAP")
    assert [one["to"] for one in rewinds] == ([1] if has_trail else [])
    assert [(one["reason"], one["count"]) for one in gaps] == (
        [] if has_trail else [("rollback", None)]
    )
    assert second.log(session_id).epoch == kept.epoch


async def test_records_older_than_memory_come_from_the_tape(session_id, key):
    first = await Process.start()
    for n in range(600):
        await first.publish(session_id, b"%d" % n, ts=1000 + n)
    await first.end()

    second, client, reader = await Process.start(), Client(), Reader()
    await second.publish(session_id, b"600", ts=1600)
    own = seat(session_id=session_id)
    await second.hub.subscribe(own, client.send, [Request(TOPIC, Start("earliest"))])
    await until(lambda: len(client.seqs) == 601)
    await second.hub.release(own.component_id, fence=1, reason="stop")
    await settle(second.hub)

    log = second.log(session_id)
    assert client.seqs == list(range(1, 602))
    assert reader.read(client).tracks[TOPIC].end["seq"] == 601
    assert [await log.seq_at(ts) for ts in (0, 1300, 1600, 1601)] == [1, 301, 601, 602]


async def test_forgotten_session_comes_back_from_the_tape(session_id, key):
    process = await Process.start()
    end = await process.publish(session_id, b"1")

    await process.hub.forget(session_id)

    assert process.engine.held(key) is None
    assert await process.hub.bounds(key) == (1, end)
    assert await process.read(key) == [b"1"]
    assert (await run_db(row, key)).writer_id is None


# Two processes


async def test_second_process_reads_and_may_not_write_while_the_first_lives(session_id, key):
    first, second = await Process.start(), await Process.start()
    await run_db(leases.renew, lease_id=first.lease_id)
    await first.publish(session_id, b"1")
    await first.flush()

    seen = await second.read(key)
    with pytest.raises(ServiceUnavailable):
        await second.publish(session_id, b"2")
    await first.die()
    taken = await second.publish(session_id, b"2")

    assert seen == [b"1"]
    assert taken.seq == 2


async def test_process_that_was_taken_for_dead_writes_nothing_more(session_id, key):
    first = await Process.start()
    await first.publish(session_id, b"1")
    await first.flush()
    await first.publish(session_id, b"lost")
    await first.die()
    second = await Process.start()
    await second.publish(session_id, b"2")
    await second.flush()

    await first.flush()

    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2")]
    assert first.log(session_id).position == second.log(session_id).position
    with pytest.raises(TopicReadOnly):
        await first.log(session_id).fence(first.log(session_id).epoch, "f" * 16)


async def test_group_that_was_written_though_an_error_came_is_not_written_twice(session_id, key):
    process = await Process.start()
    await process.publish(session_id, b"1", b"2")
    reel = process.log(session_id).reel
    assert reel is not None
    group = await reel.take(limit=10, max_bytes=1000)
    assert group is not None

    await process.recorder.tape.write([group])
    await process.flush()

    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2")]
    assert reel.taped.head == 2


async def test_late_listing_moves_no_tape(session_id, key):
    process = await Process.start()
    await process.publish(session_id, b"1")
    await process.flush()
    end = await process.publish(session_id, b"2")

    await run_db(listing.write, [(key, 1, end)])
    listed = (await run_db(row, key)).head
    await run_db(lambda: Log.objects.filter(name=TOPIC).update(head=2, ck=end.ck.hex()))
    await process.flush()

    assert listed == 1
    assert process.hub.held() == []
    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2")]


# Rules that change


async def test_open_topic_that_comes_to_be_recorded_is_from_what_memory_has(session_id):
    free = await run_db(make_session, {"pattern": "**"})
    process, key = await Process.start(), (free, TOPIC)
    for n in range(6):
        await process.publish(free, b"%d" % n)
    process.log(free).trim(4)

    await run_db(change, free, {"pattern": "**", "recorded": True})
    process.hub.rules.hear(free)
    await process.publish(free, b"6")
    await process.hub.rules.of(free)
    await process.flush()
    await process.end()
    second = await Process.start()
    start, end = await second.hub.bounds(key)

    log = process.log(free)
    assert (start, end) == (4, log.position)
    assert await second.read(key, 3) == [b"3", b"4", b"5", b"6"]
    assert await second.log(free).match(3) == await log.match(3) is not None


async def test_topic_recorded_no_more_goes_on_in_memory_and_its_tape_stays(session_id, key):
    process = await Process.start()
    await process.publish(session_id, b"1", b"2")

    await run_db(change, session_id, {"pattern": "**"})
    process.hub.rules.hear(session_id)
    await process.hub.rules.renew()
    await process.flush()
    await process.publish(session_id, b"3")
    await process.flush()

    log = await run_db(row, key)
    assert (log.recorded, log.head) == (False, 2)
    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2")]
    assert await process.read(key) == [b"1", b"2", b"3"]
    assert [one[0] for one in process.hub.held()] == [key]


async def test_topic_recorded_again_has_each_record_once(session_id, key):
    process = await Process.start()
    await process.publish(session_id, b"1", b"2")
    await process.flush()

    for rule in ({"pattern": "**"}, {"pattern": "**", "recorded": True}):
        await run_db(change, session_id, rule)
        process.hub.rules.hear(session_id)
        await process.hub.rules.renew()
        await process.flush()
        await process.publish(session_id, b"x")
    await process.flush()

    assert await run_db(bodies, key) == [(1, b"1"), (2, b"2"), (3, b"x"), (4, b"x")]


async def test_new_epoch_begins_a_new_tape_from_what_memory_has(session_id, key):
    process = await Process.start()
    before = await process.publish(session_id, b"1", b"2")
    await process.flush()
    log = process.log(session_id)

    await log.fence(before.epoch, "f" * 16)
    await process.publish(session_id, b"3")
    await process.end()
    second = await Process.start()

    start, end = await second.hub.bounds(key)
    assert (start, end.epoch, end.seq) == (1, "f" * 16, 3)
    assert await second.log(session_id).match(2) == before.ck
    assert await second.log(session_id).match(0) == position.genesis(TOPIC, before.epoch)
