from collections.abc import Callable
from datetime import timedelta
from itertools import chain, repeat
from typing import Any

import pytest
from django.utils import timezone

from aegis_project.database import run_db
from components.core.admission import Admission
from components.core.effects import Close, Effect, MarkLost, Reply
from components.core.handshake import Handshake
from components.core.heartbeat import BEATS
from components.core.messages import Proto
from components.jobs import Links, Watcher
from components.models import Component, Credential
from components.services import credentials, standing
from sessions.models import Session
from sessions.services import creation, lifecycle, participants
from streaming.core.errors import CloseCode
from streaming.hints import Hint
from streaming.hub import Hub
from streaming.node import Node
from tests import factories, waiting
from tests.factories import OPERATOR
from tests.hubs import Client, publish, seat

pytestmark = pytest.mark.django_db(transaction=True)


class Link:
    """A control socket that keeps what its handshake decided."""

    is_busy = False

    def __init__(self, component: Component) -> None:
        self.component_id, self.fence = str(component.pk), component.fence
        self.handshake = Handshake(now=0)
        self.decided: list[Effect] = []
        register = '{"session_token": "t", "proto": {"v": 1}}'
        self.handshake.receive(register, now=0)
        admission = Admission(
            component_id=self.component_id,
            name=component.name,
            session_id=str(component.session_id),
            topics=(),
        )
        self.handshake.admit(admission, now=0)

    async def perform(self, decided: list[Effect]) -> None:
        self.decided += decided

    @property
    def closes(self) -> list[CloseCode]:
        return [effect.code for effect in self.decided if isinstance(effect, Close)]

    @property
    def states(self) -> list[tuple[Any, Any]]:
        frames = [effect.frame for effect in self.decided if isinstance(effect, Reply)]
        told = [frame for frame in frames if frame["COMMAND"] == "STATE"]
        return [(frame["session"], frame["component"]) for frame in told]


@pytest.fixture
def links() -> Links:
    return Links()


@pytest.fixture
def node() -> Node:
    return Node(hub=Hub(), jobs=[])


@pytest.fixture
def watch(links: Links, node: Node) -> Callable[..., Any]:
    watcher = Watcher(links)

    async def run(*hinted: Component) -> None:
        held = [str(one.pk) for one in hinted] or [*links.bound, *node.hub.seated()]
        for component_id in held:
            assert watcher.wants(Hint("component", component_id))
        await watcher.run(node)
        await waiting.until(lambda: not links._tasks)

    return run


def in_session(state: str) -> Component:
    session = factories.session()
    component = factories.readied(session, "feed", proto=Proto())
    if state != "created":
        lifecycle.start(principal=OPERATOR, session=session)
    component.refresh_from_db()
    return component


def session_of(component: Component) -> Session:
    return Session.objects.get(pk=component.session_id)


async def bound(links: Links, component: Component) -> Link:
    link = Link(component)
    links.open(link)
    links.bind(link)
    return link


async def test_who_waits_for_the_database_is_not_silent(links: Links, node: Node):
    silent, busy = [await bound(links, await run_db(in_session, "created")) for _ in range(2)]
    busy.is_busy = True
    silent.handshake.last_heard_at = busy.handshake.last_heard_at = links.now() - 1000

    await links.run(node)
    await waiting.until(lambda: not links._tasks)

    assert (silent.closes, busy.closes) == ([CloseCode.HEARTBEAT_MISSED], [])


async def test_a_component_is_told_where_it_stands_once(links: Links, watch: Callable[[], Any]):
    component = await run_db(in_session, "created")
    link = await bound(links, component)

    await watch()
    await watch()
    await run_db(lifecycle.start, principal=OPERATOR, session=component.session_id)
    await watch()

    assert link.states == [("created", "ready"), ("running", "running")]
    assert link.closes == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("stop", CloseCode.NORMAL),
        ("complete", CloseCode.SESSION_OVER),
        ("end", CloseCode.SESSION_OVER),
        ("delete", CloseCode.SESSION_OVER),
    ],
)
async def test_who_is_released_is_sent_away_once(
    links: Links, watch: Callable[[], Any], command: str, code: CloseCode
):
    component = await run_db(in_session, "running")
    link = await bound(links, component)

    await run_db(getattr(lifecycle, command), principal=OPERATOR, session=component.session_id)
    await watch()
    await watch()

    assert link.closes == [code]
    assert not any(isinstance(effect, MarkLost) for effect in link.decided)


async def test_the_hint_of_a_component_reads_its_row_alone(links: Links, watch: Callable[..., Any]):
    components = [await run_db(in_session, "created") for _ in range(2)]
    hinted, other = [await bound(links, one) for one in components]
    await watch()
    for component in components:
        await run_db(lifecycle.start, principal=OPERATOR, session=component.session_id)

    await watch(components[0])

    assert hinted.states[-1] == ("running", "running")
    assert other.states == [("created", "ready")]


REVOKED = ("token_revoked", "CONNECTION_FORBIDDEN", CloseCode.FORBIDDEN)
EXPIRED = ("token_expired", "TOKEN_EXPIRED", CloseCode.TOKEN_EXPIRED)
DETACHED = ("component_detached", "CONNECTION_FORBIDDEN", CloseCode.FORBIDDEN)


def token_of(component: Component, *, fault: str) -> str:
    """Another token for the session of a component that is over by now; its id."""
    issued = creation.issue_token(principal=OPERATOR, session=component.session_id)
    token = issued.credential
    if fault == "token_revoked":
        credentials.revoke(principal=OPERATOR, credential=token.pk)
    else:
        # Until then there is time for a REFRESH.
        token.expires_at = timezone.now() - timedelta(seconds=BEATS.overtime_seconds)
        token.save()
    return str(token.pk)


def end_the_rights_of(component: Component, *, fault: str) -> None:
    if fault == "component_detached":
        session = str(component.session_id)
        participants.detach(principal=OPERATOR, session=session, component=component.name)
        return
    token = token_of(component, fault=fault)
    Component.objects.filter(pk=component.pk).update(token=token)


async def seated(node: Node, component: Component, **fields: Any) -> Client:
    client = Client()
    own = {"component_id": str(component.pk), "session_id": str(component.session_id)}
    node.hub.connect(seat(**own, **fields), client.send, is_open=True)
    return client


@pytest.mark.parametrize("is_control_here", [True, False])
@pytest.mark.parametrize(("fault", "word", "code"), [REVOKED, EXPIRED, DETACHED])
async def test_a_token_that_is_over_ends_both_sockets_in_whatever_process(
    links: Links,
    node: Node,
    watch: Callable[..., Any],
    fault: str,
    word: str,
    code: CloseCode,
    is_control_here: bool,
):
    component = await run_db(in_session, "running")
    link = await bound(links, component) if is_control_here else None
    data = await seated(node, component)
    await watch()
    was_open = not data.closed

    await run_db(end_the_rights_of, component, fault=fault)
    await watch()
    await waiting.until(lambda: data.closed)

    assert was_open
    assert (data.frames[-1]["code"], data.closed) == (word, code)
    if link is not None:
        assert link.closes == [code]
        assert link.decided[-1] == MarkLost(fault)


@pytest.mark.parametrize(("fault", "word", "code"), [REVOKED, EXPIRED])
async def test_a_data_socket_with_a_token_of_its_own_ends_with_that(
    links: Links, node: Node, watch: Callable[..., Any], fault: str, word: str, code: CloseCode
):
    component = await run_db(in_session, "running")
    link = await bound(links, component)
    own = await run_db(token_of, component, fault=fault)
    data = await seated(node, component, token_id=own)

    await watch()
    await waiting.until(lambda: data.closed)

    assert (data.frames[-1]["code"], data.closed) == (word, code)
    assert link.closes == []


async def test_what_a_credential_opened_ends_at_its_hint_however_long_all_took_to_look_at(
    links: Links, node: Node, monkeypatch: pytest.MonkeyPatch
):
    component, other = [await run_db(in_session, "running") for _ in range(2)]
    link = await bound(links, component)
    own = await run_db(working_token, other)
    kept, half = await seated(node, component), await seated(node, other, token_id=own)
    watcher = Watcher(links)
    # Looking at all takes an hour, so that it is not done again at once.
    monkeypatch.setattr(links, "now", chain([0.0], repeat(3600.0)).__next__)
    await watcher.run(node)
    assert 0 < watcher.period_seconds <= 4

    for revoked in [own, await run_db(revocable, component)]:
        await run_db(credentials.revoke, principal=OPERATOR, credential=revoked)
        assert watcher.wants(Hint("credential", revoked))
    await watcher.run(node)
    await waiting.until(lambda: kept.closed and half.closed)

    assert watcher.period_seconds > 0
    assert (kept.closed, half.closed) == (CloseCode.FORBIDDEN, CloseCode.FORBIDDEN)
    assert link.closes == [CloseCode.FORBIDDEN]


def working_token(component: Component) -> str:
    """Another token for the session of a component; its id."""
    issued = creation.issue_token(principal=OPERATOR, session=component.session_id)
    return str(issued.credential.pk)


def revocable(component: Component) -> str:
    """The id of the token that a component is registered with from now on."""
    token = working_token(component)
    Component.objects.filter(pk=component.pk).update(token=token)
    return token


async def test_a_token_may_still_be_replaced_shortly_after_its_end(
    links: Links, node: Node, watch: Callable[..., Any]
):
    component = await run_db(in_session, "running")
    link = await bound(links, component)
    own = await run_db(expired_just_now, component)
    data = await seated(node, component, token_id=own)

    await watch()

    assert (link.closes, data.closed) == ([], None)


def expired_just_now(component: Component) -> str:
    issued = creation.issue_token(principal=OPERATOR, session=component.session_id)
    Credential.objects.update(expires_at=timezone.now())
    Component.objects.filter(pk=component.pk).update(token=issued.credential)
    return str(issued.credential.pk)


async def test_who_was_judged_lost_elsewhere_must_register_again(
    links: Links, watch: Callable[[], Any]
):
    component = await run_db(in_session, "running")
    link = await bound(links, component)

    await run_db(lose, component)
    await watch()
    await watch()

    assert link.closes == [CloseCode.HEARTBEAT_MISSED]
    assert await run_db(standing.lose, reason="judged_lost", **own(component)) is False


def own(component: Component) -> dict[str, Any]:
    return {"component_id": str(component.pk), "fence": component.fence}


def lose(component: Component) -> None:
    standing.lose(**own(component), reason="its server is gone")


async def test_an_older_connection_gives_way(links: Links, watch: Callable[[], Any]):
    component = await run_db(in_session, "running")
    link = await bound(links, component)

    await run_db(register_again, component)
    await watch()

    assert link.closes == [CloseCode.REPLACED]


def register_again(component: Component) -> Component:
    return factories.registered(
        session_of(component), component_id=str(component.pk), proto=Proto()
    )


@pytest.mark.parametrize("before", ["stopped", "lost"])
async def test_what_was_read_before_a_new_registration_does_not_touch_it(
    links: Links, watch: Callable[[], Any], before: str
):
    component = await run_db(in_session, "created")
    await run_db(Component.objects.update, state=before)
    component.fence += 1
    link = await bound(links, component)

    await watch()

    assert link.decided == []


async def test_what_is_published_as_soon_as_somebody_is_ready_reaches_them(
    links: Links, node: Node, watch: Callable[..., Any]
):
    session = await run_db(factories.session)
    component = await run_db(factories.joined, session, "feed", proto=Proto())
    await links.run(node)
    data = await seated(node, component, topics=("book",), fence=component.fence)
    await node.hub.gate(str(component.pk), is_open=False, fence=component.fence)

    await links.become_ready(str(component.pk), component.fence)
    await publish(node.hub, "book", "first", session=str(session.pk))
    started = await run_db(lifecycle.start, principal=OPERATOR, session=session)
    await watch(component)
    await waiting.until(lambda: data.records)

    assert started.session.state == "running"
    assert [one[-1] for one in data.records] == ["first"]


async def test_first_topics_are_written_with_ready_and_by_themselves_if_none_follows(
    links: Links, node: Node, monkeypatch: pytest.MonkeyPatch
):
    session = await run_db(factories.session)
    prompt, slow = [await run_db(factories.joined, session, name) for name in ("a", "b")]
    for one in (prompt, slow):
        links.note_topics(str(one.pk), one.fence)
    begun_at = timezone.now()

    await links.run(node)
    at_once = await run_db(noted)
    await links.become_ready(str(prompt.pk), prompt.fence)
    with_ready = await run_db(noted)
    monkeypatch.setattr("components.jobs.links.READY_FOLLOWS", timedelta(0))
    await links.run(node)
    later = await run_db(noted)

    assert at_once == {}
    assert set(with_ready) == {"a"}
    assert set(later) == {"a", "b"}
    assert all(at <= begun_at for at in later.values())


def noted() -> dict[str, Any]:
    rows = Component.objects.exclude(subscribed_at=None)
    return dict(rows.values_list("name", "subscribed_at"))
