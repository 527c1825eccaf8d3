"""The job that lets records of topics, and the clock, wake agents."""

import asyncio
import logging
from contextlib import aclosing
from functools import partial

from aegis_project.database import read_db, run_db
from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError
from sessions.core import triggers as rules
from sessions.selectors import triggers as reading
from sessions.selectors.triggers import Watched
from sessions.services import triggers
from streaming.core import topics
from streaming.core.resume import Start
from streaming.engines.base import Key, Slice
from streaming.hints import Hint
from streaming.hub import following, placing
from streaming.node import Node

logger = logging.getLogger(__name__)

BEAT_SECONDS = 60.0


class Watching:
    """
    Follow the topics that wake somebody, as far as this process holds them.

    A topic that is there already when its session is first looked at is followed from its end, one
    that comes later from its beginning.
    """

    name = "triggers"
    period_seconds = 1.0

    def __init__(self) -> None:
        self._followed: dict[Key, asyncio.Task[None]] = {}
        self._known: set[str] = set()
        self._watched: dict[str, list[Watched]] = {}

    def wants(self, hint: Hint) -> bool:
        return False

    async def run(self, node: Node) -> None:
        """Fire the schedules that are due, and follow the topics that are to be followed."""
        if node.is_draining:
            return
        await run_db(triggers.fire_due)
        self._watched = await read_db(reading.watched)
        wanted = self._wanted(node)
        for key in self._followed.keys() - wanted:
            self._followed[key].cancel()
        for key in wanted - self._followed.keys():
            self._begin(node, key)
        self._known = set(self._watched)

    async def stop(self) -> None:
        """Follow nothing any more."""
        tasks = list(self._followed.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wanted(self, node: Node) -> set[Key]:
        if not self._watched:
            return set()
        return {
            key
            for key, _, _ in node.hub.held()
            if any(topics.matches(one.pattern, key[1]) for one in self._watched.get(key[0], ()))
            and not topics.is_row(key[1])
        }

    def _begin(self, node: Node, key: Key) -> None:
        begin = placing.EARLIEST if key[0] in self._known else placing.LATEST
        task = asyncio.create_task(self._follow(node, key, begin), name=f"aegis-watch-{key[1]}")
        self._followed[key] = task
        task.add_done_callback(partial(self._over, key))

    def _over(self, key: Key, _task: asyncio.Task[None]) -> None:
        self._followed.pop(key, None)

    async def _follow(self, node: Node, key: Key, begin: Start) -> None:
        turns = following.follow(node.hub, key, begin, beat_seconds=BEAT_SECONDS)
        try:
            async with aclosing(turns) as found:
                async for turn in found:
                    if turn.cut is not None:
                        await self._look(key, turn.at.epoch, turn.cut)
        except AegisError as error:
            logger.info("A topic is not watched any more: %s", error.message)
        except Exception:  # the next turn of the job follows it again
            logger.exception("A topic could not be watched", extra={"action": "watch_failed"})

    async def _look(self, key: Key, epoch: str, cut: Slice) -> None:
        session_id, topic = key
        mine = [
            (one, rules.read(one.condition))
            for one in self._watched.get(session_id, ())
            if topics.matches(one.pattern, topic)
        ]
        for seq, body in enumerate(cut.data, cut.first):
            data = strict.decode(body, max_bytes=len(body)) if mine else None
            for one, conditions in mine:
                if rules.holds(conditions, data):
                    await run_db(
                        triggers.wake,
                        trigger_id=one.trigger_id,
                        session_id=session_id,
                        topic=topic,
                        data=body.decode(),
                        cause=f"{topic}:{epoch}:{seq}",
                    )
