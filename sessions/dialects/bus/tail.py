"""What happens to the sessions that somebody sees, from now on, each thing once."""

import time
from collections import deque

from aegis_project.kit.principal import Principal
from sessions.dialects.bus import shapes
from sessions.dialects.bus.registry import BusEvent
from sessions.selectors import announcements

# Numbers are given before transactions end: one that took so long is still seen.
OVERLAP_SECONDS = 10.0


class Tail:
    """One reader of the events of the bus."""

    def __init__(self, principal: Principal, *, overlap_seconds: float = OVERLAP_SECONDS) -> None:
        self.principal = principal
        self._overlap_seconds = overlap_seconds
        self._marks: deque[tuple[float, int]] = deque()
        self._told: set[int] = set()

    def begin(self) -> None:
        """Take everything until now for known."""
        self._marks.append((time.monotonic(), announcements.newest()))

    def look(self) -> list[BusEvent]:
        """What is new, in order, with what the seed tells of it."""
        now, head = time.monotonic(), announcements.newest()
        found = announcements.behind(self.principal, self._marks[0][1], types=list(shapes.EVENTS))
        news = [
            BusEvent(shapes.EVENTS[one.type], one.session_id)
            for one in found
            if one.number not in self._told
        ]
        self._marks.append((now, head))
        while len(self._marks) > 1 and self._marks[1][0] <= now - self._overlap_seconds:
            self._marks.popleft()
        self._told = {one.number for one in found if one.number > self._marks[0][1]}
        for event in news:
            _ = event.data  # read here, where the database may be asked
        return news
