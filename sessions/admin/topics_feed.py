"""The table of topics on the page of a session."""

import asyncio
from uuid import UUID

from django.template.loader import render_to_string
from django.utils import timezone

from aegis_project import marks
from aegis_project.database import read_db
from aegis_project.kit.principal import Principal
from sessions.admin import topic_cells, topic_words
from sessions.admin.feeds import Changes, Feed, Frame
from sessions.admin.topic_words import Seen
from sessions.selectors import monitor, sessions
from streaming import node
from streaming.core import topics
from streaming.hub.watch import Reading
from streaming.models import Log
from streaming.selectors import logs


class TopicsFeed(Feed):
    """The topics of a session, listed or only open yet, with what happens in them now."""

    scope = "topics:read"
    period_seconds = 1.0

    def __init__(self, principal: Principal, *, session_id: UUID) -> None:
        super().__init__(principal)
        self.session_id = session_id
        self._changes = Changes()

    async def turn(self) -> list[Frame]:
        hub, at = node.required().hub, asyncio.get_running_loop().time()
        readings = hub.watch.read(hub, str(self.session_id), at=at)
        html = await read_db(self._render, readings)
        changed = self._changes.of({"rows": html})
        return [{"type": "topics", "html": html}] if changed else []

    def _render(self, readings: dict[str, Reading]) -> str:
        session = sessions.find(self.principal, self.session_id)
        listed = logs.by_name(session.pk)
        ids = set().union(*map(topic_words.parties, readings.values()))
        names = monitor.component_names(ids) if ids else {}
        now, shown = timezone.now(), []
        for name in sorted(listed.keys() | readings.keys()):
            if topics.is_row(name):
                continue
            log, reading = listed.get(name), readings.get(name)
            if log is None and reading is not None:
                seen = reading.figures
                log = Log(name=name, epoch=seen.epoch, start=seen.start, head=seen.head)
            if log is not None:
                log.session = session
                shown.append(Seen(log, reading, names))
        rows = [
            {
                "seen": one,
                "cells": topic_cells.row(one, now=now),
                "at": one.place,
                "head": marks.number(one.place.head),
                "start": marks.number(one.place.start),
            }
            for one in shown
        ]
        return render_to_string("admin/aegis/session/topic_rows.html", {"rows": rows})
