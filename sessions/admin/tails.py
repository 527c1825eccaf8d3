"""The topics of a session with their rates, and the sampled tail of one of them."""

import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.database import read_db
from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.admin.feeds import Changes, Feed, Frame
from sessions.selectors import sessions
from streaming import node
from streaming.core import topics
from streaming.core.errors import TopicNotFound
from streaming.hub.figures import TopicFigures
from streaming.models import Log

RATE_SECONDS = 5.0
# At most so many records in one frame, and frames in one second.
FRAME_RECORDS = 20
FRAMES_PER_SECOND = 10
FIRST_RECORDS = 50
LONGEST = 4096
IDLE_SECONDS = 0.25


class Sample(NamedTuple):
    """Where a topic stood at a moment of the monotonic clock."""

    at: float
    epoch: str
    head: int


class Rates:
    """Records per second of each topic over the last few seconds."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[Sample]] = {}

    def note(self, figures: TopicFigures, *, at: float) -> float | None:
        """The rate after one more sample; None until two samples of one epoch are there."""
        samples = self._samples.setdefault(figures.name, deque())
        if samples and (samples[-1].epoch != figures.epoch or samples[-1].head > figures.head):
            samples.clear()
        samples.append(Sample(at, figures.epoch, figures.head))
        while len(samples) > 2 and at - samples[0].at > RATE_SECONDS:
            samples.popleft()
        seconds = at - samples[0].at
        return (figures.head - samples[0].head) / seconds if seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Row:
    """A topic as its table shows it."""

    name: str
    rate: SafeString | str
    last: SafeString
    subscribers: SafeString | str
    head: str
    start: str
    epoch: str
    is_recorded: bool


class TopicsFeed(Feed):
    """The table of topics of a session."""

    scope = "topics:read"
    period_seconds = 1.0

    def __init__(self, principal: Principal, *, session_id: UUID) -> None:
        super().__init__(principal)
        self.session_id = session_id
        self._rates = Rates()
        self._changes = Changes()

    async def turn(self) -> list[Frame]:
        figures = node.required().hub.topics(str(self.session_id))
        at = time.monotonic()
        rated = [(one, self._rates.note(one, at=at)) for one in figures if _is_shown(one.name)]
        html = await read_db(self._render, rated)
        changed = self._changes.of({"rows": html})
        return [{"type": "topics", "html": html}] if changed else []

    def _render(self, rated: list[tuple[TopicFigures, float | None]]) -> str:
        session = sessions.find(self.principal, self.session_id)
        listed = {log.name: log for log in Log.objects.filter(session=session)}
        now = timezone.now()
        rows = {one.name: _open_row(one, rate, listed.get(one.name), now) for one, rate in rated}
        for name, log in listed.items():
            if _is_shown(name) and name not in rows:
                rows[name] = _listed_row(log)
        shown = [rows[name] for name in sorted(rows)]
        return render_to_string("admin/aegis/session/topic_rows.html", {"rows": shown})


def _is_shown(name: str) -> bool:
    return not topics.is_row(name)


def _open_row(figures: TopicFigures, rate: float | None, log: Log | None, now: datetime) -> Row:
    last = figures.last_ts
    at = datetime.fromtimestamp(last / 1000, tz=UTC) if last else None
    return Row(
        name=figures.name,
        rate=marks.none() if rate is None else _rate(rate),
        last=marks.since_html(at, now=now) if at else marks.none(),
        subscribers=str(figures.subscribers) if figures.subscribers else marks.none("0"),
        head=marks.number(figures.head),
        start=marks.number(figures.start),
        epoch=figures.epoch,
        is_recorded=bool(log and log.recorded),
    )


def _listed_row(log: Log) -> Row:
    return Row(
        name=log.name,
        rate=marks.none(),
        last=marks.none(),
        subscribers=marks.none(),
        head=marks.number(log.head),
        start=marks.number(log.start),
        epoch=log.epoch,
        is_recorded=log.recorded,
    )


def _rate(rate: float) -> SafeString | str:
    if rate == 0:
        return marks.none("0")
    return f"{rate:.1f}" if rate < 10 else marks.number(rate)


class TailFeed(Feed):
    """
    The newest records of one topic, at most ten frames a second.

    What a frame leaves out is counted in ``skipped``; it stays in the log. ``after`` is the
    epoch and seq up to which the page has seen the topic.
    """

    scope = "topics:read"
    spacing_seconds = 1 / FRAMES_PER_SECOND

    def __init__(
        self, principal: Principal, *, session_id: UUID, topic: str, after: tuple[str, int] | None
    ) -> None:
        super().__init__(principal)
        if topics.is_row(topics.check(topic)):
            raise ValidationFailed("The ledger and runs are read on the timeline.", topic=topic)
        self.session_id, self.topic, self.after = session_id, topic, after
        self._is_first = True

    async def turn(self) -> list[Frame]:
        if self._is_first:
            await read_db(sessions.find, self.principal, self.session_id)
        frame = await self._frame()
        is_first, self._is_first = self._is_first, False
        is_news = bool(frame["records"] or frame["skipped"])
        # A quiet topic is asked less often.
        self.period_seconds = self.spacing_seconds if is_news else IDLE_SECONDS
        return [frame] if is_news or is_first else []

    async def _frame(self) -> Frame:
        hub, key = node.required().hub, (str(self.session_id), self.topic)
        try:
            start, end = await hub.bounds(key)
        except TopicNotFound:
            return self._as_frame("", 0, [], skipped=0)
        known = self.after if self.after and self.after[0] == end.epoch else None
        seen = known[1] if known else max(start - 1, end.seq - FIRST_RECORDS)
        limit = FRAME_RECORDS if known else FIRST_RECORDS
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
            "topic": self.topic,
            "epoch": epoch,
            "head": head,
            "records": shown,
            "skipped": skipped,
            "is_new_epoch": is_new_epoch,
        }
