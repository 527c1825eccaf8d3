"""How a session stood at one instant of its past, from its ledger and its tapes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aegis_project import marks
from aegis_project.kit.principal import Principal
from sessions.admin import lanes
from sessions.admin.events import in_words
from sessions.core import lanes as drawn
from sessions.core.lanes import Item, Lanes
from sessions.models import Session
from sessions.selectors import timeline
from streaming.models import Log
from streaming.selectors import logs, tape

HALF = timedelta(microseconds=500)
MOST_TOPICS, BINS, LONGEST = 12, 240, 160
ROWS = {"Participants": marks.COMPONENT, "Runs": marks.RUN, "Tool calls": marks.TOOL_CALL}
# What a lane says of a run or a call that waits for people.
OPEN = {"waiting", "working", "running", "queued"}


def stood(principal: Principal, session: Session, *, at: int) -> dict[str, Any]:
    """What the panel beside a review shows of an instant (unix ms)."""
    moment = datetime.fromtimestamp(at / 1000, tz=UTC)
    # Pages know an event by the millisecond that is nearest to it.
    events = timeline.drawn(session.pk, until=moment + HALF, limit=lanes.MOST)
    found = drawn.of(map(lanes.happened, events))
    last = in_words(session.pk, events[-1:])
    return {
        "session": session,
        "last": last[0] if last else None,
        "state": _state(found),
        "groups": [
            {"title": title, "rows": rows} for title in ROWS if (rows := _rows(found, title))
        ],
        "topics": _topics(principal, session, at=at),
        "message": _said(found),
    }


def _state(found: Lanes) -> Any:
    items = found.lane("", "lifecycle").items
    return marks.chip(items[-1].word, marks.SESSION) if items else ""


def _rows(found: Lanes, title: str) -> list[tuple[str, Any]]:
    rows = []
    for lane in found.lanes.values():
        item = _current(lane.items) if lane.group == title else None
        if item is not None and (title == "Participants" or item.word in OPEN):
            word = "pending" if title == "Tool calls" and item.word == "waiting" else item.word
            rows.append((lane.name, marks.chip(word, ROWS[title])))
    return rows


def _current(items: list[Item]) -> Item | None:
    going = [item for item in items if item.end is None]
    return going[-1] if going else None


def _said(found: Lanes) -> str:
    lane = found.lanes.get(("Messages", "Messages"))
    return lane.items[-1].label if lane else ""


def _tapes(principal: Principal, session: Session) -> list[Log]:
    """The tapes that the principal may read, by name."""
    if not principal.allows("topics:read"):
        return []
    names = [name for name in tape.recorded(session.pk) if logs.may_see(principal, name)]
    rows = logs.by_name(session.pk)
    return [rows[name] for name in names[:MOST_TOPICS] if name in rows]


def _topics(principal: Principal, session: Session, *, at: int) -> list[dict[str, Any]]:
    rows = []
    for row in _tapes(principal, session):
        found = tape.newest_at(row, at)
        said, age = (_text(found[2]), marks.duration((at - found[1]) / 1000)) if found else ("", "")
        rows.append({"name": row.name, "said": said, "age": age})
    return rows


def _text(body: bytes) -> str:
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        text = body.decode(errors="replace")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def strips(principal: Principal, session: Session, *, begin: int, end: int) -> list[dict[str, Any]]:
    """
    How fast the recorded topics were between two instants (unix ms), in 240 steps.

    For who may not read them, it is one lane that says how many there are.
    """
    if names := lanes.veiled(principal, session.pk):
        return lanes.veil(names)
    step = max(1000, -(-(end - begin) // BINS))
    return [_strip(row, begin=begin, step=step) for row in _tapes(principal, session)]


def _strip(row: Log, *, begin: int, step: int) -> dict[str, Any]:
    found, each = tape.times(row)
    counts = [0] * (BINS + 1)
    for ts in found:
        place = (ts - begin) // step
        if 0 <= place <= BINS:
            counts[place] += each
    return {
        "name": row.name,
        "rate": marks.number(row.head),
        "rates": [round(count * 1000 / step, 2) for count in counts],
        "step": step,
        "at": begin + (BINS + 1) * step,
        "quiet": 0,
        "silence": "",
    }
