import pytest

from aegis_project.database import run_db
from streaming.core.messages import Commit
from streaming.core.position import Position
from streaming.engines.memory import MemoryEngine
from streaming.hub import Hub
from streaming.models import Cursor, Log
from streaming.node import Node
from streaming.services import cursors
from streaming.upkeep import CursorsJob
from tests import factories, waiting
from tests.calling import caller
from tests.hubs import Client, connection_of, publish, seat, settle

pytestmark = pytest.mark.django_db(transaction=True)

TOPIC = "klines.BTC"
AT = Position("a" * 16, 3, b"c" * 8)
LATER = Position("a" * 16, 9, b"d" * 8)
NOWHERE = "99999999-9999-4999-8999-999999999999"


def make_component():
    session = factories.session()
    return factories.joined(session, "sink")


def stored():
    rows = Cursor.objects.order_by("log__name")
    return [(one.log.name, Position(one.epoch, one.seq, bytes.fromhex(one.ck))) for one in rows]


def test_the_last_word_about_each_topic_is_kept():
    component = make_component()
    who, session_id = str(component.pk), str(component.session_id)

    cursors.store([(who, (session_id, TOPIC), AT), (who, (session_id, "ledger"), AT)])
    cursors.store([(who, (session_id, TOPIC), LATER)])

    assert stored() == [(TOPIC, LATER), ("ledger", AT)]
    assert Log.objects.get(name=TOPIC).head == 3


def test_components_and_sessions_that_are_gone_keep_nothing_from_being_written():
    component = make_component()
    who, session_id = str(component.pk), str(component.session_id)

    cursors.store(
        [
            (NOWHERE, (session_id, TOPIC), AT),
            (who, (NOWHERE, TOPIC), AT),
            (who, (session_id, TOPIC), AT),
        ]
    )

    assert stored() == [(TOPIC, AT)]


async def test_node_writes_what_was_committed_and_the_interface_shows_it():
    component = await run_db(make_component)
    session_id = str(component.session_id)
    job = CursorsJob()
    node = Node(hub=Hub(engines=[MemoryEngine()]), jobs=[job], last=[job.run])
    await node.start()
    client = Client()
    own = seat(session_id=session_id, component_id=str(component.pk))
    await node.hub.subscribe(own, client.send, [TOPIC])
    end = await publish(node.hub, TOPIC, 1, 2, session=session_id)
    await settle(node.hub)
    connection = node.hub.seats.of(str(component.pk))
    assert connection is not None

    node.hub.commit(connection, Commit({TOPIC: 2}))
    try:
        await waiting.until(lambda: not node.hub.commits._noted)
    finally:
        await node.stop()

    assert await run_db(stored) == [(TOPIC, end)]
    answer = await run_db(read, component)
    assert [(one["topic"], one["position"]) for one in answer["cursors"]] == [(TOPIC, str(end))]


async def test_what_is_committed_last_is_written_when_the_node_ends():
    component = await run_db(make_component)
    session_id, job = str(component.session_id), CursorsJob()
    node = Node(hub=Hub(engines=[MemoryEngine()]), jobs=[], last=[job.run])
    await node.start()
    client = Client()
    own = seat("sink", session_id=session_id)
    await node.hub.subscribe(own, client.send, [TOPIC])
    await publish(node.hub, TOPIC, 1, session=session_id)
    await settle(node.hub)
    connection = connection_of(node.hub, "sink")
    connection.seat = seat("sink", session_id=session_id, component_id=str(component.pk))

    node.hub.commit(connection, Commit({TOPIC: 1}))
    await node.stop()

    assert [name for name, _ in await run_db(stored)] == [TOPIC]


def read(component):
    return caller().get(f"/api/v1/components/{component.pk}").json()
