"""Hints over the channel layer, where Valkey is configured."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.conf import settings as django_settings
from redis import Redis

from aegis_project import database
from aegis_project.database import run_db
from sessions.core.lifecycle import State
from streaming import hints
from streaming.hints import Hint
from streaming.hub import Hub
from streaming.jobs import LayerHints, hint_receiver
from streaming.node import Node
from tests import elsewhere, factories, waiting
from tests.stores import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def valkey(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Valkey]:
    with Valkey() as server:
        # For this process and for those that it starts.
        monkeypatch.setattr(django_settings.ENVIRONMENT, "redis_url", server.url)
        monkeypatch.setenv("AEGIS_REDIS_URL", server.url)
        settings.CHANNEL_LAYERS = {
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": [server.url]},
            }
        }
        yield server


@pytest.fixture
def heard() -> Iterator[list[Hint]]:
    found: list[Hint] = []
    hints.listen(found.append)
    yield found
    hints.unlisten(found.append)


@asynccontextmanager
async def node_that_hears(heard: list[Hint]) -> AsyncIterator[Any]:
    job = hint_receiver()
    node = Node(hub=Hub(), jobs=[job])
    await node.start()
    try:
        await waiting.until(lambda: Hint("moved") in heard)
        yield job
    finally:
        await node.stop()


@pytest.mark.usefixtures("valkey")
async def test_what_another_process_committed_is_heard_over_valkey(heard: list[Hint]):
    session = await run_db(factories.session_in, State.RUNNING)
    key = str(session.pk)

    with elsewhere.ready("pause", key) as other:
        async with node_that_hears(heard) as job:
            other.go()
            await waiting.until(lambda: {Hint("lever", key), Hint("ledger", key)} <= set(heard))

    assert isinstance(job, LayerHints)


async def test_what_leaves_here_arrives_in_the_group_as_one_message(
    valkey: Valkey, heard: list[Hint]
):
    def send() -> None:
        with database.atomic():
            hints.send(Hint("lever", "a"))
            hints.send(Hint("ledger", "a"))
            hints.send(Hint("lever", "a"))

    async with node_that_hears(heard):
        layer = hints.layer()
        listening = await layer.new_channel()
        await layer.group_add(hints.CHANNEL, listening)
        await run_db(send)
        message = await asyncio.wait_for(layer.receive(listening), 10)

    assert message["hints"] == [hints.write(Hint("lever", "a")), hints.write(Hint("ledger", "a"))]


async def test_bus_heals_after_its_store_was_away(valkey: Valkey, heard: list[Hint]):
    def hear_of_another() -> bool:
        with Redis.from_url(valkey.url) as client:
            payload = hints.layer().serialize({"type": "hints", "hints": ["other lever s"]})
            client.publish(f"asgi__group__{hints.CHANNEL}", payload)
        return Hint("lever", "s") in heard

    async with node_that_hears(heard):
        valkey.kill()
        await run_db(_send, Hint("lever", "lost"))
        valkey.start()

        await waiting.until(hear_of_another)


def _send(hint: Hint) -> None:
    with database.atomic():
        hints.send(hint)


def test_command_without_a_server_sends_by_itself_and_survives_a_dead_store(
    valkey: Valkey, heard: list[Hint]
):
    valkey.kill()

    _send(Hint("lever", "s"))

    assert heard == [Hint("lever", "s")]
