"""The sampled tail of one topic."""

import asyncio
from typing import Any
from uuid import UUID

from aegis_project import marks
from aegis_project.database import read_db
from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.admin import topic_words
from sessions.admin.feeds import Feed, Frame
from sessions.core.lifecycle import State
from sessions.selectors import sessions
from streaming import node
from streaming.core import topics
from streaming.core.errors import TopicNotFound
from streaming.hub import Hub
from streaming.selectors import logs

# At most so many records in one frame, by what the page asked for, and frames in one second.
MODES = {"sampled": 20, "all": 250}
FRAMES_PER_SECOND = 10
FIRST_RECORDS = 50
LONGEST = 4096
IDLE_SECONDS = 0.25
ABOUT_SECONDS = 1.0

Known = tuple[str, int]
"""The epoch and seq up to which a page has seen a topic."""


class TailFeed(Feed):
    """
    The newest records of one topic, at most ten frames a second.

    What a frame leaves out is counted in ``skipped``; it stays in the log. ``after`` is how far
    the page has seen the topic. Each second ``about`` tells the rate, and whether it is silent.
    """

    scope = "topics:read"
    spacing_seconds = 1 / FRAMES_PER_SECOND

    def __init__(
        self,
        principal: Principal,
        *,
        session_id: UUID,
        topic: str,
        after: Known | None,
        slot: str = "a",
        mode: str = "sampled",
    ) -> None:
        super().__init__(principal)
        if topics.is_row(topics.check(topic)):
            raise ValidationFailed("The ledger and runs are read on the timeline.", topic=topic)
        logs.check_readable(principal, topic)
        self.session_id, self.topic, self.after = session_id, topic, after
        self.slot, self.limit = slot, MODES[mode]
        self._is_first = self._is_running = True
        self._told_at = self._looked_at = 0.0
        self._about: dict[str, Any] = {}

    async def turn(self) -> list[Frame]:
        await self._look()
        frame = await self._frame()
        is_first, self._is_first = self._is_first, False
        about = self._tell()
        if about:
            frame["about"] = about
        is_news = bool(frame["records"] or frame["skipped"])
        # A quiet topic is asked less often.
        self.period_seconds = self.spacing_seconds if is_news else IDLE_SECONDS
        return [frame] if is_news or is_first or about else []

    async def _look(self) -> None:
        """Look from time to time whether the session is still in view, and whether it runs."""
        at = asyncio.get_running_loop().time()
        if self._is_first or at - self._looked_at >= 2 * ABOUT_SECONDS:
            self._looked_at = at
            session = await read_db(sessions.find, self.principal, self.session_id)
            self._is_running = session.state == State.RUNNING

    def _tell(self) -> dict[str, Any]:
        at = asyncio.get_running_loop().time()
        if at - self._told_at < ABOUT_SECONDS and not self._is_first:
            return {}
        self._told_at = at
        about = self._describe(node.required().hub, at)
        changed, self._about = about != self._about, about
        return about if changed else {}

    def _describe(self, hub: Hub, at: float) -> dict[str, Any]:
        key = (str(self.session_id), self.topic)
        reading = hub.watch.of(hub, [key], at=at).get(key)
        if reading is None:
            return {}
        is_silent = reading.is_silent and self._is_running
        return {
            "rate": None if reading.rate is None else marks.rate(reading.rate),
            "gap": None if reading.gap is None else topic_words.seconds_of(reading.gap),
            "last_ts": reading.figures.last_ts,
            "is_silent": is_silent,
            "sentence": f"{self.topic} is silent." if is_silent else "",
        }

    async def _frame(self) -> Frame:
        hub, key = node.required().hub, (str(self.session_id), self.topic)
        try:
            start, end = await hub.bounds(key)
        except TopicNotFound:
            return self._as_frame("", 0, [], skipped=0)
        known = self.after if self.after and self.after[0] == end.epoch else None
        seen = known[1] if known else max(start - 1, end.seq - FIRST_RECORDS)
        limit = self.limit if known else FIRST_RECORDS
        begin = max(seen, end.seq - limit, start - 1)
        cut = await hub.read(key, begin, limit) if end.seq > begin else None
        records = (
            list(zip(range(cut.first, cut.last + 1), cut.ts, cut.data, strict=True)) if cut else []
        )
        is_new_epoch = self.after is not None and known is None
        head = cut.last if cut else max(seen, begin)
        self.after = (end.epoch, head)
        skipped = max((cut.first - 1 if cut else begin) - seen, 0)
        return self._as_frame(end.epoch, head, records, skipped=skipped, is_new_epoch=is_new_epoch)

    def _as_frame(
        self,
        epoch: str,
        head: int,
        records: list[tuple[int, int, bytes]],
        *,
        skipped: int,
        is_new_epoch: bool = False,
    ) -> Frame:
        shown: list[list[Any]] = [
            [seq, ts, data[:LONGEST].decode("utf-8", "replace")] for seq, ts, data in records
        ]
        return {
            "type": "tail",
            "slot": self.slot,
            "id": str(self.session_id),
            "topic": self.topic,
            "epoch": epoch,
            "head": head,
            "records": shown,
            "skipped": skipped,
            "is_new_epoch": is_new_epoch,
        }
