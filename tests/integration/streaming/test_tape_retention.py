from datetime import UTC, datetime, timedelta

import pytest

from aegis_project.database import run_db
from sessions.services import creation
from streaming.core.messages import Request
from streaming.core.position import Cursor
from streaming.core.rules import TapeKeep
from streaming.models import Record, Segment
from streaming.node import Node
from streaming.services import tape_retention
from streaming.upkeep import TapeJob
from tests import waiting
from tests.factories import OPERATOR
from tests.hubs import Client, seat, until
from tests.integration.streaming.taping import TOPIC, Process, bodies, make_session, row

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = TapeKeep()


@pytest.fixture
async def session_id():
    return await run_db(make_session)


@pytest.fixture
def key(session_id):
    return (session_id, TOPIC)


def count(key, now):
    """Count all that came."""
    while tape_retention.count(log_id=row(key).pk, now=now):
        pass


def sweep(key, keep, now=NOW):
    """Let go of what need not be kept, and say where the tape begins."""
    taped = tape_retention.expire(log_id=row(key).pk, keep=keep, now=now)
    while tape_retention.remove(log_id=row(key).pk):
        pass
    return taped.start


async def recorded(process, session_id, key, *days_ago):
    """Ten records for each of these days."""
    for days in days_ago:
        for n in range(10):
            await process.publish(session_id, b"%d" % n)
        await process.flush()
        await run_db(count, key, NOW - days * DAY)


async def test_what_is_older_than_the_rule_says_goes_and_the_anchor_stays(session_id, key):
    process = await Process.start()
    await recorded(process, session_id, key, 20, 8, 6, 0)
    before = await process.log(session_id).match(20)

    start = await run_db(sweep, key, WEEK)
    process.hub.cut(key, start)

    log = process.log(session_id)
    assert (start, log.start) == (21, 21)
    assert [seq for seq, _ in await run_db(bodies, key)] == list(range(20, 41))
    await process.end()
    second = await Process.start()
    assert (await second.hub.bounds(key))[0] == 21
    assert await second.log(session_id).match(20) == before
    assert await second.log(session_id).match(19) is None


async def test_cursor_that_the_tape_has_passed_gets_an_exact_gap(session_id, key):
    first = await Process.start()
    await recorded(first, session_id, key, 8, 0)
    held = Cursor(first.log(session_id).epoch, 3, await first.log(session_id).match(3) or b"")
    await run_db(sweep, key, WEEK)
    await first.end()

    second, client = await Process.start(), Client()
    asked = [Request(TOPIC, cursor=held)]
    await second.hub.subscribe(seat(session_id=session_id), client.send, asked)
    await until(lambda: len(client.seqs) == 10)

    (gap,) = client.told("GAP")
    assert (gap["from"], gap["to"], gap["count"], gap["reason"]) == (4, 10, 7, "retention")
    assert client.seqs == list(range(11, 21))


async def test_a_tape_is_kept_within_its_bytes(session_id, key):
    process = await Process.start()
    await recorded(process, session_id, key, 3, 2, 1, 0)

    start = await run_db(sweep, key, TapeKeep(days=0, bytes=25))

    assert start == 21


async def test_without_bounds_nothing_goes(session_id, key):
    process = await Process.start()
    await recorded(process, session_id, key, 1000, 0)

    start = await run_db(sweep, key, TapeKeep(days=0))

    assert start == 1
    assert len(await run_db(bodies, key)) == 20


async def test_a_tape_of_which_all_is_old_can_still_prove_its_end_and_goes_on(session_id, key):
    process = await Process.start()
    await recorded(process, session_id, key, 9)
    end = process.log(session_id).position
    await process.end()

    start = await run_db(sweep, key, WEEK)
    second = await Process.start()
    bounds = await second.hub.bounds(key)
    after = await second.publish(session_id, b"x")

    assert (start, bounds) == (11, (11, end))
    assert (after.epoch, after.seq) == (end.epoch, 11)


async def test_records_are_counted_and_removed_in_slices(session_id, key, monkeypatch):
    monkeypatch.setattr(tape_retention, "COUNTED", 4)
    monkeypatch.setattr(tape_retention, "REMOVED", 3)
    process = await Process.start()
    await recorded(process, session_id, key, 8)

    segments = await run_db(lambda: list(Segment.objects.order_by("last").values_list("last")))
    start = await run_db(sweep, key, WEEK)

    # The last two wait for others to be counted with.
    assert segments == [(4,), (8,)]
    assert (start, await run_db(bodies, key)) == (9, [(8, b"7"), (9, b"8"), (10, b"9")])


async def test_records_of_an_epoch_that_is_over_go_when_they_are_old(session_id, key):
    process = await Process.start()
    await recorded(process, session_id, key, 20)
    await process.log(session_id).fence(process.log(session_id).epoch, "f" * 16)
    process.log(session_id).trim(11)
    await process.publish(session_id, b"new")
    await process.flush()
    later = datetime.now(UTC) + 8 * DAY

    await run_db(sweep, key, WEEK)
    kept = await run_db(Record.objects.count)
    await run_db(sweep, key, WEEK, later)

    assert kept > 10
    epochs = await run_db(lambda: set(Record.objects.values_list("epoch", flat=True)))
    assert epochs == {"f" * 16}


async def test_node_lets_go_of_what_its_rules_do_not_keep(session_id, key):
    rule = {"pattern": "**", "recorded": True, "tape": {"days": 0, "bytes": 15}}
    changes = {"config": {"topics": [rule]}}
    await run_db(creation.update, principal=OPERATOR, session=session_id, changes=changes)
    process = await Process.start()
    await recorded(process, session_id, key, 2, 1)
    await process.end()
    second = await Process.start()
    await second.hub.bounds(key)
    node = Node(hub=second.hub, jobs=[TapeJob()])

    await node.start()
    try:
        await waiting.until(lambda: second.log(session_id).start == 11)
    finally:
        await node.stop()

    assert (await second.read(key))[0] == b"0"
