"""How a session stood at one instant of its past, from its ledger and its tapes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aegis_project.kit.principal import Principal
from sessions.core import lanes
from sessions.core.lanes import Happened, Item, Lanes
from sessions.models import Session
from sessions.selectors import timeline
from streaming.models import Event, Log
from streaming.selectors import logs, tape

HALF = timedelta(microseconds=500)
MOST = 1000
"""Events from which an instant is told: the newest up to it that lanes draw."""
MOST_TOPICS = 12
PARTICIPANTS, RUNS, CALLS = "Participants", "Runs", "Tool calls"
# What a lane says of a run or a call that is not over.
OPEN = {"waiting", "working", "running", "queued"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A participant, run or tool call by its name, and the word for how it stood."""

    group: str
    name: str
    word: str


@dataclass(frozen=True, slots=True)
class Said:
    """The last record of a tape at an instant: its number, its time in unix ms, its data."""

    topic: str
    seq: int | None = None
    ts: int | None = None
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Stood:
    """
    All of a session at an instant (``at``, unix ms): its state, everybody in it, what was said.

    ``last`` is the last event up to then that lanes draw.
    """

    at: int
    state: str
    last: Event | None
    standings: list[Standing]
    topics: list[Said]
    message: str


def stood(principal: Principal, session: Session, *, at: int) -> Stood:
    """
    How a session stood at an instant; topics only for those who may read them.

    :raises PermissionDenied: without the scope events:read
    """
    principal.require("events:read")
    moment = datetime.fromtimestamp(at / 1000, tz=UTC)
    # Pages know an event by the millisecond that is nearest to it.
    events = timeline.drawn(session.pk, until=moment + HALF, limit=MOST)
    return _told(principal, session, events, at=at)


def stood_behind(principal: Principal, session: Session, seq: int) -> Stood:
    """
    How it stood right behind a position of its ledger.

    :raises PermissionDenied: without the scope events:read
    """
    principal.require("events:read")
    events = timeline.drawn(session.pk, before=seq + 1, limit=MOST)
    found = timeline.up_to(session.pk, seq, limit=1)
    at = milliseconds(found[0].ts if found else session.created_at)
    return _told(principal, session, events, at=at)


def tapes(principal: Principal, session: Session) -> list[Log]:
    """The tapes that the principal may read, by name."""
    if not principal.allows("topics:read"):
        return []
    names = [name for name in tape.recorded(session.pk) if logs.may_see(principal, name)]
    rows = logs.by_name(session.pk)
    return [rows[name] for name in names[:MOST_TOPICS] if name in rows]


def happened(event: Event) -> Happened:
    """An event as lanes take it."""
    data = timeline.data(event)
    return Happened(event.seq, milliseconds(event.ts), event.type, event.actor, data)


def milliseconds(moment: datetime) -> int:
    """A moment in unix milliseconds."""
    return round(moment.timestamp() * 1000)


def _told(principal: Principal, session: Session, events: list[Event], *, at: int) -> Stood:
    found = lanes.of(map(happened, events))
    items = found.lane("", "lifecycle").items
    said = found.lanes.get(("Messages", "Messages"))
    return Stood(
        at=at,
        state=items[-1].word if items else "",
        last=events[-1] if events else None,
        standings=[one for group in (PARTICIPANTS, RUNS, CALLS) for one in _group(found, group)],
        topics=[_newest(row, at) for row in tapes(principal, session)],
        message=said.items[-1].label if said else "",
    )


def _group(found: Lanes, group: str) -> list[Standing]:
    rows = []
    for lane in found.lanes.values():
        item = _current(lane.items) if lane.group == group else None
        if item is not None and (group == PARTICIPANTS or item.word in OPEN):
            word = "pending" if group == CALLS and item.word == "waiting" else item.word
            rows.append(Standing(group, lane.name, word))
    return rows


def _current(items: list[Item]) -> Item | None:
    going = [item for item in items if item.end is None]
    return going[-1] if going else None


def _newest(row: Log, at: int) -> Said:
    found: Any = tape.newest_at(row, at)
    return Said(row.name, *found) if found else Said(row.name)
