"""The live parts of a topic's own page."""

from uuid import UUID

from aegis_project.database import read_db
from aegis_project.kit.principal import Principal
from sessions.admin import topic_parts
from sessions.admin.feeds import Changes, Feed, Frame
from sessions.admin.topic_parts import Look
from streaming.core import topics
from streaming.hints import Hint
from streaming.selectors import logs


class TopicFeed(Feed):
    """Facts, subscribers, charts and shapes of one topic; the first frame has everything."""

    scope = "topics:read"
    period_seconds = 1.0

    def __init__(self, principal: Principal, *, session_id: UUID, topic: str) -> None:
        super().__init__(principal)
        logs.check_readable(principal, topics.check(topic))
        self.session_id, self.topic = session_id, topic
        self._changes = Changes()
        self._points: tuple[object, ...] = ()

    def wants(self, hint: Hint) -> bool:
        return hint.kind == "moved" or (
            hint.kind in {"ledger", "lever"} and hint.id == str(self.session_id)
        )

    async def turn(self) -> list[Frame]:
        found = await topic_parts.look(self.session_id, self.topic)
        changed = self._changes.of(await read_db(self._read, found))
        frame: Frame = {"type": "topic", "parts": changed}
        reading = found.reading
        points = (reading.rates, reading.lags) if reading else ()
        if points != self._points:
            self._points = points
            frame["series"] = topic_parts.series(reading)
        return [frame] if changed or "series" in frame else []

    def _read(self, found: Look) -> dict[str, str]:
        seen = topic_parts.load(self.principal, self.session_id, self.topic, found)
        return topic_parts.render(seen, found)
