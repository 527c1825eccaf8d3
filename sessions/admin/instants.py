"""How a session stood at one instant of its past, as the panel beside a review shows it."""

import json
from typing import Any

from aegis_project import marks
from aegis_project.kit.principal import Principal
from sessions.admin import lanes
from sessions.admin.events import in_words
from sessions.models import Session
from sessions.selectors import reviewing
from sessions.selectors.reviewing import CALLS, PARTICIPANTS, RUNS, Said, Stood
from streaming.models import Log
from streaming.selectors import tape

BINS, LONGEST = 240, 160
ROWS = {PARTICIPANTS: marks.COMPONENT, RUNS: marks.RUN, CALLS: marks.TOOL_CALL}


def stood(principal: Principal, session: Session, *, at: int) -> dict[str, Any]:
    """What the panel beside a review shows of an instant (unix ms)."""
    found = reviewing.stood(principal, session, at=at)
    last = in_words(session.pk, [found.last]) if found.last else []
    return {
        "session": session,
        "last": last[0] if last else None,
        "state": marks.chip(found.state, marks.SESSION) if found.state else "",
        "groups": [
            {"title": title, "rows": rows} for title in ROWS if (rows := _rows(found, title))
        ],
        "topics": [_topic(one, at=at) for one in found.topics],
        "message": found.message,
    }


def _rows(found: Stood, title: str) -> list[tuple[str, Any]]:
    return [
        (one.name, marks.chip(one.word, ROWS[title]))
        for one in found.standings
        if one.group == title
    ]


def _topic(one: Said, *, at: int) -> dict[str, Any]:
    is_there = one.ts is not None
    age = marks.duration((at - one.ts) / 1000) if one.ts is not None else ""
    return {"name": one.topic, "said": _text(one.data) if is_there else "", "age": age}


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
    return [_strip(row, begin=begin, step=step) for row in reviewing.tapes(principal, session)]


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
