"""The lanes of a session's timeline: read from its ledger, kept while they are looked at."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone

from aegis_project import marks
from aegis_project.kit.principal import Principal
from components import selectors
from sessions.core import lanes
from sessions.core.lanes import Lanes
from sessions.core.lifecycle import CLOSED
from sessions.core.tools import parted
from sessions.models import Session
from sessions.selectors import timeline
from sessions.selectors.reviewing import CALLS, MOST, happened, milliseconds
from streaming.core import topics
from streaming.hub.watch import Reading
from streaming.selectors import logs

ORDER = {"": 0, "Participants": 1, "Runs": 2, "Tool calls": 3, "Messages": 5}


class Drawing:
    """
    The lanes of one session, which grow with its ledger.

    So many events are drawn at first; where there were twice as many, drawing begins anew.
    """

    def __init__(self, *, most: int | None = None) -> None:
        self.seq = self._count = 0
        self._most = most or MOST
        self._lanes = Lanes()
        self.is_whole = True
        # The stretch that was asked for in the place of the newest: before which position it lies,
        # its first event, and when it ends.
        self.before: int | None = None
        self.first = self.until = 0

    def read(self, session: Session) -> bool:
        """Take what is new in the ledger; whether anything is."""
        if self._count >= 2 * self._most:
            self.seq = 0
        new = timeline.drawn(session.pk, after=self.seq, limit=self._most + 1)
        if not self.seq or len(new) > self._most:
            self._lanes, self._count = lanes.of([]), 0
            self.is_whole = len(new) <= self._most
            self.first = new[-self._most :][0].seq if new else 0
        for event in new[-self._most :]:
            self._lanes.take(happened(event))
        self.seq = new[-1].seq if new else self.seq
        self._count += len(new)
        return bool(new)

    def look_back(self, session: Session, before: int) -> None:
        """Take the newest events before a position in the place of all others."""
        found = timeline.drawn(session.pk, before=before, limit=self._most)
        self._lanes, self._count = lanes.of([]), len(found)
        self.is_whole, self.before = False, before
        stood = timeline.state_before(session.pk, found[0].seq) if found else None
        if stood is not None:
            self._lanes.take(happened(stood))
            self._lanes.lane("", "lifecycle").items[-1].start = milliseconds(found[0].ts)
            self._lanes.flags.clear()
        for event in found:
            self._lanes.take(happened(event))
        self.seq = found[-1].seq if found else 0
        self.first, self.until = (found[0].seq, milliseconds(found[-1].ts)) if found else (0, 0)

    def window(self, session: Session) -> dict[str, Any]:
        """Which of how many events are drawn, and where those before and behind are; empty of all."""
        if self.is_whole:
            return {}
        behind = self.before and timeline.page_behind(session.pk, self.seq, limit=self._most)
        earlier = timeline.drawn(session.pk, before=self.first, limit=1)
        return {
            "count": marks.number(min(self._count, self._most)),
            "total": marks.number(timeline.count_drawn(session.pk)),
            "earlier": self.first if earlier else None,
            "later": behind,
            "is_newest": self.before is None,
        }

    def shown(self, session: Session) -> dict[str, Any]:
        """What a page draws; times are unix milliseconds."""
        self._stand(session)
        groups: dict[str, list[dict[str, Any]]] = {}
        for lane in self._lanes.lanes.values():
            one = {
                "name": lane.name,
                "title": parted(lane.name)[0] if lane.group == CALLS else lane.name,
                "note": lane.note,
                "items": [item.as_list() for item in lane.items],
            }
            groups.setdefault(lane.group, []).append(one)
        last = self._lanes.lane("", "lifecycle").items[-1]
        return {
            "groups": [
                {"title": title, "lanes": groups[title]}
                for title in sorted(groups, key=lambda title: ORDER.get(title, 4))
            ],
            "flags": [[one.at, one.name, one.seq, one.kind] for one in self._lanes.flags],
            "closed": self._closed(session, last),
            "from": self._begin(session),
            "is_whole": self.is_whole,
        }

    def _closed(self, session: Session, last: lanes.Item) -> int | None:
        if self.before is not None:
            return self.until or milliseconds(session.created_at)
        return last.start if session.state in CLOSED else None

    def _begin(self, session: Session) -> int:
        starts = [lane.items[0].start for lane in self._lanes.lanes.values() if lane.items]
        return min(starts, default=milliseconds(session.created_at))

    def _stand(self, session: Session) -> None:
        """What goes on since before the first event that was read, and who is late now."""
        lifecycle = self._lanes.lane("", "lifecycle")
        if not lifecycle.items:
            lifecycle.turn(session.state, milliseconds(session.state_changed_at), 0)
        if self.before is not None:
            # Who takes part now says nothing of then.
            return
        for row in selectors.parts(session.pk):
            lane = self._lanes.lane("Participants", row.name, note=row.role)
            if not lane.items:
                lane.turn(row.state, milliseconds(row.running_at or row.created_at), 0)
            late = next((one for one in reversed(lane.items) if one.word == "late"), None)
            if late is not None and row.state == "running":
                late.end = None if row.is_late else late.end or late.start


def veiled(principal: Principal, session_id: UUID) -> list[str]:
    """The topics of a session that the principal may not read."""
    return [] if principal.allows("topics:read") else logs.names(session_id)


def veil(names: Sequence[str]) -> list[dict[str, Any]]:
    """One lane that says how many topics there are, and nothing else of them."""
    if not names:
        return []
    count = "1 topic" if len(names) == 1 else f"{len(names)} topics"
    return [{"name": count, "rate": "veiled", "rates": [], "veil": "you may not read topics"}]


def strips(readings: Mapping[str, Reading]) -> list[dict[str, Any]]:
    """How fast the topics were over the last two minutes, by name, as far as this process knows."""
    now = timezone.now()
    return [
        {
            "name": name,
            "rate": f"{marks.rate(reading.rate)}/s" if reading.rate is not None else "",
            "rates": [round(rate, 2) for rate in reading.rates],
            "step": round(reading.step * 1000),
            "at": milliseconds(now),
            "quiet": round(reading.quiet * 1000) if reading.is_silent else 0,
            "silence": f"silent {marks.duration(reading.quiet)}" if reading.is_silent else "",
        }
        for name, reading in sorted(readings.items())
        if not topics.is_row(name)
    ]
