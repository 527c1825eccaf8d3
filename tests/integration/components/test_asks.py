"""What is asked of a component beside its tools."""

import logging
from functools import partial
from typing import Any

import pytest

from aegis_project.database import run_db
from aegis_project.kit.errors import InvalidState
from components.core.asks import Level
from components.core.messages import Result
from components.jobs.links import Links
from components.jobs.tool_uses import ToolUses
from components.models import Component, ToolUse
from components.sdk import Component as Client
from components.sdk import LogLevel
from components.sdk.life import LOGGER
from components.services import asks, tool_uses
from tests import factories, threads
from tests.integration.components.fake import TOKEN, FakeAegis
from tests.integration.components.sdk_help import until


@pytest.fixture
def component() -> Component:
    row = factories.readied(factories.session(), "prices")
    Component.objects.filter(pk=row.pk).update(proto={"v": 1})
    return Component.objects.get(pk=row.pk)


def answer(asked: ToolUse, **said) -> None:
    tool_uses.take(component_ids=[str(asked.component_id)])
    found = Result(id=str(asked.pk), **said)
    tool_uses.answer(result=found, component_id=str(asked.component_id))


@pytest.mark.django_db(transaction=True)
def test_answer_is_awaited_and_says_how_long_it_took(component):
    asked = asks.ping(component)

    with threads.beside(partial(answer, asked)):
        assert asks.answered(asked, within_seconds=10)

    trip = asks.round_trip_ms(asked)
    assert trip is not None
    assert trip >= 0


@pytest.mark.django_db
def test_who_does_not_answer_took_no_time(component):
    asked = asks.log_level(component, Level.DEBUG)

    assert not asks.answered(asked, within_seconds=0)
    assert asks.round_trip_ms(asked) is None


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["pending", "lost", "failed", "stopped"])
def test_who_is_not_connected_is_asked_nothing(component, state):
    component.state = state

    for ask in (asks.ping, partial(asks.log_level, level=Level.INFO)):
        with pytest.raises(InvalidState, match=f"prices is {state}, so there is nobody to ask"):
            ask(component)

    assert not ToolUse.objects.exists()


@pytest.mark.django_db
def test_who_knows_no_such_frame_is_not_sent_one(component):
    component.proto = {}

    with pytest.raises(InvalidState, match="registered without proto"):
        asks.log_level(component, Level.INFO)
    assert asks.ping(component).tool == "$ping"


class Held:
    """A control socket that is held here."""

    def __init__(self, component: Component) -> None:
        self.component_id, self.fence = str(component.pk), component.fence
        self.sent: list[dict[str, object]] = []

    async def perform(self, decided) -> None:
        self.sent += [one.frame for one in decided]


@pytest.mark.django_db(transaction=True)
async def test_both_are_sent_as_frames_of_their_own(component):
    links = Links()
    held: Any = Held(component)
    nobody: Any = None
    links.bound[held.component_id] = held
    ping = await run_db(asks.ping, component)
    level = await run_db(asks.log_level, component, Level.DEBUG)

    await ToolUses(links).run(nobody)
    await links.settled(within_seconds=5)

    assert held.sent == [
        {"COMMAND": "HEARTBEAT", "n": 0, "id": str(ping.pk)},
        {"COMMAND": "LOG_LEVEL", "id": str(level.pk), "level": "DEBUG"},
    ]


async def test_sdk_answers_a_ping_and_sets_its_logger():
    heard: list[LogLevel] = []
    before = logging.getLogger(LOGGER).level
    async with FakeAegis() as aegis:
        client = Client("prices", url=aegis.url, token=TOKEN)
        client.on(LogLevel)(heard.append)
        await client.start()
        await until(lambda: aegis.control is not None)
        assert aegis.control is not None
        send = aegis.control.socket.send
        try:
            await send('{"COMMAND":"HEARTBEAT","n":0,"id":"a"}')
            await send('{"COMMAND":"LOG_LEVEL","id":"b","level":"DEBUG"}')
            await until(lambda: ("RESULT", "b") in aegis.answers)
            level = logging.getLogger(LOGGER).level
            await send('{"COMMAND":"LOG_LEVEL","id":"c","level":"LOUD"}')
            await until(lambda: ("RESULT", "c") in aegis.answers)
        finally:
            logging.getLogger(LOGGER).setLevel(before)
            await client.close()

    assert ("HEARTBEAT", "a") in aegis.answers
    assert (level, heard) == (logging.DEBUG, [LogLevel("DEBUG")])
