"""Telling the sockets of this process what was decided about their components."""

import logging
from collections.abc import Collection, Mapping

from aegis_project.database import read_db
from aegis_project.kit.errors import AegisError
from components.core.lifecycle import State
from components.core.standing import DETACHED, Standing
from components.jobs.links import Link, Links
from components.selectors import standings
from streaming.core.errors import (
    CloseCode,
    ConnectionForbidden,
    HeartbeatMissed,
    StreamError,
    TokenExpired,
    close_code,
)
from streaming.hints import Hint
from streaming.hub import Connection
from streaming.node import Node

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# Looking at everything takes at most one part in so many of the time, and is never that long away.
SHARE = 10
LONGEST_SECONDS = 4.0

# States in which there is nothing to do until something is said of it.
CALM = frozenset({State.REGISTERED, State.READY, State.RUNNING})

FAULTS: dict[str, StreamError] = {
    "revoked": ConnectionForbidden("The token was revoked."),
    "expired": TokenExpired(),
    DETACHED: ConnectionForbidden("It was taken out of its session."),
}


class Watcher:
    """
    Tell the sockets of this process what their components' rows say.

    It reads the row of a component held here at its hint, and the rows of all that are held at
    other hints and every second. What a credential opened is looked at as soon as it is hinted
    at, however long looking at everything takes.
    """

    name = "watcher"

    def __init__(self, links: Links) -> None:
        self.links = links
        self.period_seconds = LOOK_SECONDS
        self._asked: set[str] = set()
        self._moved_credentials: set[str] = set()
        self._is_all_asked = True
        # When everything may be looked at again, and when it must be, hint or not.
        self._may_at = self._must_at = 0.0
        # What each registration was told last: its fence, the session's state, its own.
        self._told: dict[str, tuple[int, str, str]] = {}
        # The marks of those whose sockets are as they should be, and of whom nothing was heard.
        self._settled: dict[str, int] = {}

    def wants(self, hint: Hint) -> bool:
        if hint.kind == "component":
            self._asked.add(hint.id)
            return True
        if hint.kind == "credential":
            self._moved_credentials.add(hint.id)
            return True
        is_wide = hint.kind in {"lever", "moved"}
        self._is_all_asked |= is_wide
        return is_wide

    async def run(self, node: Node) -> None:
        """Read what may have moved, and apply."""
        began = self.links.now()
        asked, self._asked = self._asked | self.links.take_bound(), set()
        asked |= await self._check_moved(node)
        if began >= (self._may_at if self._is_all_asked else self._must_at):
            self._is_all_asked = False
            await self._look(node, {*self.links.bound, *node.hub.seated()}, asked)
            self._forget(node)
            await self._check_tokens(node, node.hub.tokens())
            took = self.links.now() - began
            self._may_at = began + min(took * SHARE, took + LONGEST_SECONDS)
            self._must_at = max(self._may_at, began + LOOK_SECONDS)
        else:
            await self._look(node, {one for one in asked if self._is_held(node, one)}, asked)
        next_at = self._may_at if self._is_all_asked else self._must_at
        self.period_seconds = max(0.0, next_at - self.links.now())

    def _is_held(self, node: Node, component_id: str) -> bool:
        return component_id in self.links.bound or node.hub.is_seated(component_id)

    async def _look(self, node: Node, held: Collection[str], asked: Collection[str]) -> None:
        for one in asked:
            self._settled.pop(one, None)
        if not held:
            return
        overtime, seen = self.links.beats.overtime_seconds, self._settled
        for standing in await read_db(
            standings.standings, held, overtime_seconds=overtime, seen=seen
        ):
            # Until it is done, so that it is done again if it fails.
            self._settled.pop(standing.component_id, None)
            try:
                await self._apply(node, standing)
            except AegisError as error:
                # The others do not wait for a store that is not to be had now.
                extra = {"action": "component_waits", "component": standing.component_id}
                logger.warning("A component waits: %s", error, extra=extra)

    def _forget(self, node: Node) -> None:
        self._told = {key: told for key, told in self._told.items() if key in self.links.bound}
        for gone in [one for one in self._settled if not self._is_held(node, one)]:
            del self._settled[gone]

    async def _check_moved(self, node: Node) -> set[str]:
        """End the data sockets of credentials that moved; who registered with one of them."""
        moved, self._moved_credentials = self._moved_credentials, set()
        if not moved:
            return set()
        tokens = {one: key for one, key in node.hub.tokens().items() if key in moved}
        await self._check_tokens(node, tokens)
        return await read_db(standings.registered_with, moved)

    async def _check_tokens(self, node: Node, tokens: Mapping[Connection, str]) -> None:
        """End those data sockets whose own token, other than their component's, is over."""
        if not tokens:
            return
        ids, overtime = set(tokens.values()), self.links.beats.overtime_seconds
        faults = await read_db(standings.token_faults, ids, overtime_seconds=overtime)
        for connection, token in tokens.items():
            if token in faults:
                connection.refuse(FAULTS[faults[token]])

    async def _apply(self, node: Node, standing: Standing) -> None:
        link = self.links.bound.get(standing.component_id)
        if link is not None and link.fence > standing.fence:
            # It registered while the rows were read; they are read again at once.
            return
        if standing.fault:
            await self._expel(node, standing, link)
            return
        if standing.state == State.STOPPED:
            await self._release(node, standing, link)
            return
        if standing.state == State.LOST and link is not None and link.fence == standing.fence:
            # Others judged this process gone; only a new registration makes it a component again.
            self._end_link(link, HeartbeatMissed(), reason="judged_lost")
        await self._gate(node, standing)
        if link is not None and link.fence < standing.fence:
            self.links.act(link, link.handshake.replace())
            return
        if link is not None:
            self._tell(link, standing)
        if standing.state in CALM and standing.component_id not in self._asked:
            self._settled[standing.component_id] = standing.mark

    async def _gate(self, node: Node, standing: Standing) -> None:
        key, fence = standing.component_id, standing.fence
        if standing.state in {State.READY, State.RUNNING}:
            await node.hub.prepare(key, fence=fence)
        await node.hub.gate(key, is_open=standing.state == State.RUNNING, fence=fence)
        if standing.state == State.FAILED:
            await node.hub.close(key, code=CloseCode.PARTNER_LOST, fence=fence)

    async def _expel(self, node: Node, standing: Standing, link: Link | None) -> None:
        error = FAULTS[standing.fault]
        word = "component" if standing.fault == DETACHED else "token"
        self._end_link(link, error, reason=f"{word}_{standing.fault}")
        # The control socket may be held by another process.
        code = close_code(error)
        await node.hub.close(standing.component_id, code=code, fence=standing.fence)

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
        told = (standing.fence, standing.session_state, standing.state)
        if self._told.get(standing.component_id) != told:
            self._told[standing.component_id] = told
            _, session, component = told
            self.links.act(link, link.handshake.tell(session=session, component=component))
        if standing.is_data_connected:
            self.links.act(link, link.handshake.attach_data())
        else:
            link.handshake.detach_data(now=self.links.now())


def reason(standing: Standing) -> str:
    """Why a released component gets its END."""
    return f"session_{standing.session_state}"
