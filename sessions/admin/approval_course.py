"""How the number went that a decision rests on: a small chart, its sentence and its table."""

import json
from datetime import datetime
from typing import Any

from aegis_project import marks
from aegis_project.kit.moments import stamp
from sessions.core.course import still_since
from sessions.models import Approval
from sessions.selectors.situation import Course

FEWEST_POINTS = 2


def context(row: Approval, course: Course | None, *, why: str, now: datetime) -> dict[str, Any]:
    """What the card shows of it; ``why`` says what is wrong with its topic now."""
    if course is None or len(course.points) < FEWEST_POINTS:
        return {}
    asked_at = int(row.requested_at.timestamp() * 1000)
    values = [value for _, value in course.points]
    before = [value for ts, value in course.points if ts <= asked_at]
    then = f"{told(before[-1])} when asked, " if before else ""
    span = f"between {told(min(values))} and {told(max(values))}"
    shown = {
        "name": " ".join(course.measured).strip(),
        "points": json.dumps(course.points),
        "asked_at": stamp(row.requested_at),
        "last": told(values[-1]),
        "why": why,
        "sentence": f"{then}{told(values[-1])} at last, {span}.",
    }
    return {"course": shown | _beside(course, now=now)}


def _beside(course: Course, *, now: datetime) -> dict[str, Any]:
    """The second line: its name, its points, and since when it has stood still."""
    if course.beside is None or len(course.beside_points) < FEWEST_POINTS:
        return {}
    now_ms = int(now.timestamp() * 1000)
    since = still_since(course.beside_points, other=course.points, now_ms=now_ms)
    name = course.beside.path or course.beside.topic
    last = told(course.beside_points[-1][1])
    said = f"{name} {last} at last."
    if since is not None:
        at = marks.duration((now_ms - since) / 1000)
        said = f"{name} stands at {last} for {at}: stale."
    return {
        "beside": name,
        "beside_points": json.dumps(course.beside_points),
        "beside_last": last,
        "still_since": "" if since is None else since,
        "beside_sentence": said,
    }


def told(value: float) -> str:
    """A number as people read it, with thin spaces between thousands and a real minus."""
    return f"{value:,.10g}".replace(",", "\u2009").replace("-", "\u2212")
