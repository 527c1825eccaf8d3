"""How the number went that a decision rests on: a small chart, its sentence and its table."""

import json
from typing import Any

from aegis_project.kit.moments import stamp
from sessions.models import Approval
from sessions.selectors.situation import Course

FEWEST_POINTS = 2


def context(row: Approval, course: Course | None, *, why: str) -> dict[str, Any]:
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
    return {"course": shown}


def told(value: float) -> str:
    """A number as people read it, with thin spaces between thousands and a real minus."""
    return f"{value:,.10g}".replace(",", "\u2009").replace("-", "\u2212")
