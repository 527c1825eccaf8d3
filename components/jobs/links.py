"""The control sockets of this process, from which they get their beats."""

import asyncio
import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from aegis_project.database import run_db
from aegis_project.gathering import Gathering
from components.core.effects import Effect
from components.core.handshake import Handshake
from components.core.heartbeat import Beats
from components.jobs import drain
from components.services import crowds, liveness
from streaming import metrics
from streaming.core.errors import CloseCode
from streaming.hints import Hint
from streaming.hub import inline
from streaming.node import Node

logger = logging.getLogger(__name__)

# Who has topics and says no READY for so long is written down without.
READY_FOLLOWS = timedelta(seconds=1)
RELEASED = frozenset({CloseCode.NORMAL, CloseCode.SESSION_OVER})


class Link(Protocol):
    """
    A control socket as the jobs see it.

    ``is_busy`` while it waits for the database: what came since cannot be heard yet.
    """

    handshake: Handshake
    component_id: str
    fence: int

    @property
    def is_busy(self) -> bool:
        """Whether it waits for the database."""

    async def perform(self, decided: list[Effect]) -> None:
        """Carry out what the handshake decided."""


def beats() -> Beats:
    """The periods of this installation."""
    environment = settings.ENVIRONMENT
    return Beats(
        interval_seconds=environment.heartbeat_seconds,
        tolerance_seconds=environment.heartbeat_seconds / 5,
        lost_seconds=environment.lost_seconds,
        grace_seconds=environment.grace_seconds,
    )


class Links:
    """The control sockets of this process: it beats, judges, and remembers who holds which."""

    name = "links"
    period_seconds = 1.0

    def __init__(self) -> None:
        self.beats = beats()
        self.period_seconds = min(1.0, self.beats.interval_seconds / 2)
        self.lease_id: UUID | None = None
        self.bound: dict[str, Link] = {}
        self._open: set[Link] = set()
        self._newly_bound: set[str] = set()
        self._node: Node | None = None
        self._noted_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        # In a storm what many of them come to is written together.
        self.ready = Gathering(crowds.ready)
        self._subscribed: dict[crowds.Place, datetime] = {}
        self.lose = Gathering(crowds.lose)

    @staticmethod
    def of(node: Node) -> "Links":
        """The links of a node."""
        job = node.job(Links.name)
        assert isinstance(job, Links)  # noqa: S101 -- the composition put it there
        return job

    async def run(self, node: Node) -> None:
        """Let time pass for every link, and note who was heard."""
        self._node, self.lease_id = node, node.lease_id
        now = self.now()
        metrics.sockets.labels("control").set(len(self._open))
        for link in tuple(self._open):
            if link.is_busy:
                # In a storm the database keeps it waiting: the silence is ours.
                self.act(link, link.handshake.heard(now=now))
            self.act(link, link.handshake.tick(now=now))
        await self._note_subscribed()
        if now - self._noted_at >= self.beats.interval_seconds:
            self._noted_at = now
            await self._note(now)

    def wants(self, hint: Hint) -> bool:
        return False

    async def _note(self, now: float) -> None:
        # Who is late says so by a mark of its own.
        limit = now - self.beats.late_seconds
        heard = [key for key, link in self.bound.items() if link.handshake.last_heard_at >= limit]
        if heard and self.lease_id is not None:
            await run_db(liveness.beat, lease_id=self.lease_id, component_ids=heard)

    async def _note_subscribed(self) -> None:
        before = timezone.now() - READY_FOLLOWS
        if reached := {place: at for place, at in self._subscribed.items() if at <= before}:
            for place in reached:
                del self._subscribed[place]
            await run_db(crowds.note_topics, reached)

    def now(self) -> float:
        """The time of the loop in seconds."""
        return asyncio.get_running_loop().time()

    def open(self, link: Link) -> None:
        """A socket was accepted."""
        self._open.add(link)

    def opened(self) -> Collection[Link]:
        """The control sockets that are open, also those that registered nobody yet."""
        return tuple(self._open)

    def bind(self, link: Link) -> None:
        """It became a component; an older link of the same one gives way."""
        older = self.bound.get(link.component_id)
        self.bound[link.component_id] = link
        self._newly_bound.add(link.component_id)
        if older is not None and older is not link:
            self.act(older, older.handshake.replace())

    def take_bound(self) -> set[str]:
        """The components that were bound since the last call."""
        found, self._newly_bound = self._newly_bound, set()
        return found

    def close(self, link: Link) -> None:
        """The socket is gone."""
        self._open.discard(link)
        if self.bound.get(link.component_id) is link:
            del self.bound[link.component_id]

    def heard(self, component_id: str) -> None:
        """A frame came on the data socket of a component whose control socket is here."""
        link = self.bound.get(component_id)
        if link is not None:
            self.act(link, link.handshake.heard(now=self.now()))

    def act(self, link: Link, decided: list[Effect]) -> None:
        """Carry out effects beside whatever the link itself is doing; at once what need not wait."""
        if not decided:
            return
        _, begun = inline.begin(self._perform(link, decided))
        if begun is not None:
            task = asyncio.create_task(_finish(begun))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _perform(self, link: Link, decided: list[Effect]) -> None:
        try:
            await link.perform(decided)
        except Exception:  # one broken link must not stop the others
            logger.exception("A control link failed", extra={"action": "control_link_failed"})

    async def settled(self, *, within_seconds: float) -> None:
        """Wait until what :meth:`act` began is done, at most so long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_seconds)

    def note_topics(self, component_id: str, fence: int) -> None:
        """
        Note that a registration has its first topics: with its READY, or by itself a little later.

        Most say READY at once, and a storm of them must not pay for a statement more of each.
        """
        self._subscribed[component_id, fence] = timezone.now()

    async def become_ready(self, component_id: str, fence: int) -> None:
        """
        Write down that a component is ready, once the topics it registered are taken up here.

        Whoever learns that the session runs may publish at once, and none of that may be before
        the place where the component begins. A data socket at another process is looked after by
        the watcher there.
        """
        subscribed_at = self._subscribed.pop((component_id, fence), None)
        if self._node is not None:
            await self._node.hub.prepare(component_id, fence=fence)
        await self.ready.add((component_id, fence, subscribed_at))

    async def close_data(self, component_id: str, fence: int, code: CloseCode) -> None:
        """
        Close the data socket of a registration with the control socket's code.

        One that is released closes by itself, after its END: closing it here would cut that off.
        """
        if self._node is not None and code not in RELEASED:
            await self._node.hub.close(component_id, code=code, fence=fence)

    async def drain(self, node: Node) -> None:
        """Send every component away because this process ends."""
        await drain.drain(self, node)


async def _finish(begun: inline.Begun[None]) -> None:
    await begun
