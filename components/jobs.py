"""The periodic work of components: control links, gates and the lost."""

import asyncio
import logging
from typing import Protocol
from uuid import UUID

from django.conf import settings

from aegis_project.database import read_db, run_db
from components import selectors
from components.core.effects import Effect
from components.core.handshake import Handshake
from components.core.heartbeat import Beats
from components.core.lifecycle import State
from components.selectors import Standing
from components.services import liveness
from streaming.core.errors import CloseCode, ConnectionForbidden, HeartbeatMissed, StreamError
from streaming.hints import Hint
from streaming.node import Node
from streaming.services import leases

logger = logging.getLogger(__name__)

RELEASED = frozenset({CloseCode.NORMAL, CloseCode.SESSION_OVER})

# A job that did not end for so long could not have renewed a lease either.
AWAY_SECONDS = leases.LEASE_SECONDS - leases.RENEW_SECONDS


class Link(Protocol):
    """A control socket as the jobs see it."""

    handshake: Handshake
    component_id: str
    fence: int

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
        self._node: Node | None = None
        self._noted_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

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
        for link in tuple(self._open):
            self.act(link, link.handshake.tick(now=now))
        if now - self._noted_at >= self.beats.interval_seconds:
            self._noted_at = now
            await self._note(now)

    def wants(self, hint: Hint) -> bool:
        return False

    async def _note(self, now: float) -> None:
        limit = now - 2 * self.beats.interval_seconds
        heard = [key for key, link in self.bound.items() if link.handshake.last_heard_at >= limit]
        if heard and self.lease_id is not None:
            await run_db(liveness.beat, lease_id=self.lease_id, component_ids=heard)

    def now(self) -> float:
        """The time of the loop in seconds."""
        return asyncio.get_running_loop().time()

    def open(self, link: Link) -> None:
        """A socket was accepted."""
        self._open.add(link)

    def bind(self, link: Link) -> None:
        """It became a component; an older link of the same one gives way."""
        older = self.bound.get(link.component_id)
        self.bound[link.component_id] = link
        if older is not None and older is not link:
            self.act(older, older.handshake.replace())

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
        """Carry out effects beside whatever the link itself is doing."""
        if decided:
            task = asyncio.create_task(self._perform(link, decided))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _perform(self, link: Link, decided: list[Effect]) -> None:
        try:
            await link.perform(decided)
        except Exception:  # one broken link must not stop the others
            logger.exception("A control link failed", extra={"action": "control_link_failed"})

    async def close_data(self, component_id: str, fence: int, code: CloseCode) -> None:
        """
        Close the data socket of a registration with the control socket's code.

        One that is released closes by itself, after its END: closing it here would cut that off.
        """
        if self._node is not None and code not in RELEASED:
            await self._node.hub.close(component_id, code=code, fence=fence)

    async def drain(self, node: Node) -> None:
        """Send every component away because this process ends."""
        for link in tuple(self._open):
            await self._perform(link, link.handshake.drain(node.retry_ms()))


class Watcher:
    """
    Tell the sockets of this process what their components' rows say.

    It looks at the rows of the seats and links held here on every hint and every second.
    """

    name = "watcher"
    period_seconds = 1.0

    def __init__(self, links: Links) -> None:
        self.links = links
        # What each registration was told last: its fence, the session's state, its own.
        self._told: dict[str, tuple[int, str, str]] = {}

    def wants(self, hint: Hint) -> bool:
        return hint.kind in {"component", "lever", "credential", "moved"}

    async def run(self, node: Node) -> None:
        """Read once, in one query, and apply."""
        held = {*self.links.bound, *node.hub.seated()}
        self._told = {key: told for key, told in self._told.items() if key in held}
        if not held:
            return
        for standing in await read_db(selectors.standings, held):
            await self._apply(node, standing)

    async def _apply(self, node: Node, standing: Standing) -> None:
        link = self.links.bound.get(standing.component_id)
        if link is not None and link.fence > standing.fence:
            # It registered while the rows were read; they are read again at once.
            return
        if standing.is_token_revoked:
            error = ConnectionForbidden("The token was revoked.")
            self._end_link(link, error, reason="token_revoked")
            return
        if standing.state == State.STOPPED:
            await self._release(node, standing, link)
            return
        if standing.state == State.LOST and link is not None and link.fence == standing.fence:
            # Others judged this process gone; only a new registration makes it a component again.
            self._end_link(link, HeartbeatMissed(), reason="judged_lost")
        await self._gate(node, standing)
        if link is not None and link.fence == standing.fence:
            self._tell(link, standing)
        elif link is not None and link.fence < standing.fence:
            self.links.act(link, link.handshake.replace())

    async def _gate(self, node: Node, standing: Standing) -> None:
        key, fence = standing.component_id, standing.fence
        if standing.state in {State.READY, State.RUNNING}:
            await node.hub.prepare(key, fence=fence)
        await node.hub.gate(key, is_open=standing.state == State.RUNNING, fence=fence)
        if standing.state == State.FAILED:
            await node.hub.close(key, code=CloseCode.PARTNER_LOST, fence=fence)

    async def _release(self, node: Node, standing: Standing, link: Link | None) -> None:
        is_over = not standing.is_session_open
        await node.hub.release(
            standing.component_id, fence=standing.fence, is_over=is_over, reason=reason(standing)
        )
        if link is not None:
            self.links.act(link, link.handshake.release(is_over=is_over))

    def _end_link(self, link: Link | None, error: StreamError, *, reason: str) -> None:
        if link is not None:
            self.links.act(link, link.handshake.fail(error, reason=reason, both=True))

    def _tell(self, link: Link, standing: Standing) -> None:
        if standing.is_data_connected:
            self.links.act(link, link.handshake.attach_data())
        else:
            link.handshake.detach_data(now=self.links.now())
        told = (standing.fence, standing.session_state, standing.state)
        if self._told.get(standing.component_id) != told:
            self._told[standing.component_id] = told
            _, session, component = told
            self.links.act(link, link.handshake.tell(session=session, component=component))


def reason(standing: Standing) -> str:
    """Why a released component gets its END."""
    return f"session_{standing.session_state}"


class Liveness:
    """Lose whom nobody holds any more, fail who did not come back."""

    name = "liveness"
    period_seconds = 1.0

    def __init__(self) -> None:
        self._judges_from: float | None = None
        self._done_at = 0.0

    def wants(self, hint: Hint) -> bool:
        return False

    async def run(self, node: Node) -> None:
        """Judge, once this process has given everybody time to find it."""
        now = asyncio.get_running_loop().time()
        if self._judges_from is None:
            self._judges_from = now + settings.ENVIRONMENT.settling_seconds
        elif now - self._done_at > AWAY_SECONDS:
            # This process or its database stood still, and so may everybody's leases have.
            self._judges_from = max(self._judges_from, now + leases.LEASE_SECONDS)
        if now >= self._judges_from:
            await run_db(liveness.lose_orphans, own=node.lease_id)
            await run_db(liveness.fail_overdue, grace_seconds=settings.ENVIRONMENT.grace_seconds)
        self._done_at = now
