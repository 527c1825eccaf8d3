"""What the pages show that are measured: many sessions, a long ledger, one that is written to."""

import threading
import time
from typing import Any

from aegis_project import database
from aegis_project.kit import principal as principals
from sessions.core.events import SessionEvent
from sessions.models import Session
from sessions.services import creation
from sessions.services.creation import Draft
from streaming.services import ledger

SYSTEM = principals.system("benchmark")
SLICE = 500


def sessions(count: int) -> None:
    """Make so many sessions."""
    for first in range(0, count, SLICE):
        with database.atomic():
            for number in range(first, min(first + SLICE, count)):
                _session(f"listed-{number}")


def long_session(events: int, key: str = "long") -> None:
    """Make a session with so many events, and print its id."""
    row = _session(key)
    for first in range(1, events, SLICE):
        with database.atomic():
            told = [_told(number) for number in range(first, min(first + SLICE, events))]
            ledger.extend(session_id=row.pk, actor=SYSTEM.id, told=told)
    print(row.pk)


def write(*ids: str, rate: int, seconds: float) -> None:
    """
    Write so many events a second in turn to these sessions, each in a transaction of its own.

    Prints of each its number and when it was committed (unix ms).
    """
    said, begun_at = list[str](), time.monotonic()
    for number in range(int(rate * seconds)):
        threading.Event().wait(max(0.0, begun_at + number / rate - time.monotonic()))
        type_, data = _told(number)
        with database.atomic():
            event = ledger.append(
                session_id=ids[number % len(ids)], type=type_, actor=SYSTEM.id, **data
            )
        said.append(f"{event.seq} {time.time() * 1000:.1f}")
    print("\n".join(said))


def _session(key: str) -> Session:
    return creation.create(principal=SYSTEM, draft=Draft(key=key, name=key)).session


def _told(number: int) -> tuple[str, dict[str, Any]]:
    return SessionEvent.UPDATED.value, {"fields": ["context"], "number": number}
