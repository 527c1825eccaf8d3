"""The last marks of a component's heartbeat, kept as one short text of its row."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

KEPT = 60
# A letter, and the tenths of seconds since 1970 in hexadecimal: enough until the year 4147.
WIDTH = 10
LENGTH = KEPT * WIDTH


class Sign(StrEnum):
    """What a mark says: heard in its interval, missed a beat, was given up, connected."""

    HEARD = "h"
    LATE = "l"
    LOST = "x"
    CONNECTED = "c"


@dataclass(frozen=True, slots=True)
class Beat:
    """One mark, and the seconds since the one before it, if that is still kept."""

    sign: Sign
    at: datetime
    seconds: float | None


def mark(sign: Sign, at: datetime) -> str:
    """One mark as it is kept."""
    return f"{sign}{round(at.timestamp() * 10):0{WIDTH - 1}x}"


def add(kept: str, sign: Sign, at: datetime) -> str:
    """What is kept with one mark more; the oldest gives way."""
    return (kept + mark(sign, at))[-LENGTH:]


def read(kept: str) -> list[Beat]:
    """The marks that are kept, the oldest first."""
    found: list[Beat] = []
    before: int | None = None
    for start in range(0, len(kept), WIDTH):
        tenths = int(kept[start + 1 : start + WIDTH], 16)
        at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=tenths * 100)
        seconds = None if before is None else (tenths - before) / 10
        found.append(Beat(Sign(kept[start]), at, seconds))
        before = tenths
    return found
