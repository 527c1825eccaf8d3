from datetime import timedelta

import pytest
from django.utils import timezone

from aegis_project.database import run_db
from sessions.jobs import Closing
from sessions.models import Attachment
from sessions.services import attachments, lifecycle
from streaming.core.errors import TopicNotFound
from streaming.core.rules import NONE
from streaming.models import Log
from streaming.node import Node
from tests import factories
from tests.factories import OPERATOR
from tests.hubs import Client, seat
from tests.integration.streaming.taping import TOPIC, Process

pytestmark = pytest.mark.django_db(transaction=True)

FREE = "klines.BTC"
RULES = [{"pattern": "trades.**", "recorded": True}]


def make():
    return str(factories.session(config={"topics": RULES}).pk)


def close(session_id):
    lifecycle.end(principal=OPERATOR, session=session_id)


def row(session_id, name):
    return Log.objects.get(session_id=session_id, name=name)


async def closing(process, *, after_seconds=0.0):
    """One turn of the job."""
    node = Node(hub=process.hub, jobs=[])
    await Closing(after_seconds=after_seconds).run(node)


async def test_topics_of_a_closed_session_leave_memory_and_their_ends_stay():
    session_id = await run_db(make)
    process = await Process.start()
    free = await process.publish(session_id, b"1", b"2", topic=FREE)
    taped = await process.publish(session_id, b"3")
    await run_db(close, session_id)

    await closing(process)

    rows = [await run_db(row, session_id, name) for name in (FREE, TOPIC)]
    assert [(one.epoch, one.head, one.ck) for one in rows] == [
        (end.epoch, end.seq, end.ck.hex()) for end in (free, taped)
    ]
    assert all(one.ended_at is not None for one in rows)
    assert (await run_db(row, session_id, "ledger")).ended_at is None
    assert process.hub.board.lines == {}
    assert process.engine.bytes == 0
    assert process.hub.rules.known(session_id) == NONE
    assert await process.read((session_id, TOPIC)) == [b"3"]
    with pytest.raises(TopicNotFound):
        await process.read((session_id, FREE))


async def test_session_that_is_open_or_followed_or_closed_just_now_stays():
    open_, followed, fresh = [await run_db(make) for _ in range(3)]
    process, client = await Process.start(), Client()
    for session_id in (open_, followed, fresh):
        await process.publish(session_id, b"1")
    await process.hub.subscribe(seat(session_id=followed), client.send, [TOPIC])
    await run_db(close, followed)

    await closing(process)
    await run_db(close, fresh)
    await closing(process, after_seconds=60)

    assert {key[0] for key in process.hub.board.lines} == {open_, followed, fresh}


async def test_files_that_no_message_took_are_let_go():
    session_id = await run_db(make)
    process = await Process.start()
    await run_db(_bring_in, session_id)

    await closing(process)

    assert not await run_db(Attachment.objects.exists)


def _bring_in(session_id):
    made = attachments.upload(
        principal=OPERATOR, session=session_id, filename="a.txt", content=b"Hello"
    )
    Attachment.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=2))
