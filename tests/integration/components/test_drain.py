import asyncio
from typing import Any

import pytest

from aegis_project.database import run_db
from components.core.admission import Admission
from components.core.effects import Close, Effect, Reply
from components.core.handshake import Handshake
from components.core.messages import Proto
from components.jobs import Links, drain
from components.models import Component
from sessions.services import lifecycle
from streaming.core.errors import CloseCode
from streaming.hub import Hub
from streaming.models import Event
from streaming.node import Node
from tests import factories, waiting
from tests.factories import OPERATOR
from tests.hubs import Client, publish, seat, settle


class Link:
    """A control socket that keeps what its handshake decided, and when."""

    is_busy = False

    def __init__(self, component: Component | None = None) -> None:
        self.handshake = Handshake(now=0)
        self.component_id, self.fence = "", 0
        self.decided: list[Effect] = []
        if component is not None:
            self._register(component)

    def _register(self, component: Component) -> None:
        self.component_id, self.fence = str(component.pk), component.fence
        self.handshake.receive('{"session_token": "t", "proto": {"v": 1}}', now=0)
        admission = Admission(self.component_id, component.name, str(component.session_id), ())
        self.handshake.admit(admission, now=0)

    async def perform(self, decided: list[Effect]) -> None:
        self.decided += decided

    @property
    def closes(self) -> list[CloseCode]:
        return [effect.code for effect in self.decided if isinstance(effect, Close)]

    @property
    def said(self) -> list[dict[str, Any]]:
        return [effect.frame for effect in self.decided if isinstance(effect, Reply)]


def in_running_session(count: int) -> list[Component]:
    session = factories.session()
    found = [factories.readied(session, f"c{n}", proto=Proto()) for n in range(count)]
    lifecycle.start(principal=OPERATOR, session=session)
    for one in found:
        one.refresh_from_db()
    return found


@pytest.mark.django_db(transaction=True)
async def test_everybody_is_told_when_to_come_back_and_closed_on_both_sockets():
    components = await run_db(in_running_session, 3)
    links, node, stranger = Links(), Node(hub=Hub(), jobs=[]), Link()
    held = [Link(one) for one in components[:2]]
    clients = [Client() for _ in components]
    links.open(stranger)
    for link in held:
        links.open(link)
        links.bind(link)
    for one, client in zip(components, clients, strict=True):
        own = {"component_id": str(one.pk), "session_id": str(one.session_id)}
        node.hub.connect(seat(**own), client.send, is_open=True)

    await links.drain(node)
    await waiting.until(lambda: all(client.closed for client in clients))

    assert [link.closes for link in [stranger, *held]] == [[CloseCode.DRAINING]] * 3
    assert [client.closed for client in clients] == [CloseCode.DRAINING] * 3
    assert [frame["code"] for frame in stranger.said] == ["DRAINING"]
    for link, client in zip(held, clients, strict=False):
        (drained,) = [frame for frame in link.said if frame["COMMAND"] == "DRAIN"]
        assert drained["retry_ms"] == client.frames[-1]["details"]["retry_ms"]
    # The control socket of the third is held elsewhere: it is not lost with this process.
    assert await run_db(told_lost) == {one.name for one in components[:2]}
    assert await run_db(states) == ["lost", "lost", "running"]


def told_lost() -> set[str]:
    events = Event.objects.filter(type="component.lost", body__contains='"draining"')
    return {name for name in ("c0", "c1", "c2") if events.filter(body__contains=f'"{name}"')}


def states() -> list[str]:
    return list(Component.objects.order_by("name").values_list("state", flat=True))


@pytest.mark.django_db(transaction=True)
async def test_who_registered_again_elsewhere_is_not_lost():
    (component,) = await run_db(in_running_session, 1)
    links, node, link = Links(), Node(hub=Hub(), jobs=[]), Link(component)
    links.open(link)
    links.bind(link)
    await run_db(Component.objects.update, fence=component.fence + 1)

    await links.drain(node)

    assert link.closes == [CloseCode.DRAINING]
    assert await run_db(states) == ["running"]


async def test_a_crowd_leaves_a_few_at_a_time_while_the_others_go_on():
    hub, clients = Hub(), {f"component-{n}": Client() for n in range(20)}
    for key, client in clients.items():
        await hub.subscribe(seat(key.removeprefix("component-")), client.send, ["prices"])

    draining = asyncio.create_task(Links().drain(Node(hub=hub, jobs=[])))
    await waiting.until(lambda: 0 < len(hub.seated()) < 20)
    staying = set(hub.seated())
    await publish(hub, "prices", "still there")
    await settle(hub)
    await draining

    assert {key for key, client in clients.items() if client.records} == staying
    assert {client.closed for client in clients.values()} == {CloseCode.DRAINING}
    assert hub.seated() == []


@pytest.mark.parametrize(("count", "groups"), [(0, 0), (1, 1), (5, 1), (100, 20), (5000, 80)])
def test_steps_fill_the_window_that_a_crowd_of_this_size_takes(count: int, groups: int):
    leaving = {str(n): n for n in range(count)}

    found = list(drain.in_groups(leaving))

    assert len(found) == groups
    assert {key: ms for group in found for key, ms in group.items()} == leaving
