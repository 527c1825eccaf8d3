"""A session's events as lanes on one clock: who was in which state from when to when."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

Data = Mapping[str, Any]


class Happened(NamedTuple):
    """What a lane needs of an event: its position, time (unix ms), type, actor and data."""

    seq: int
    at: int
    type: str
    actor: str
    data: Data


@dataclass(slots=True)
class Item:
    """
    A stretch of a lane: its word, from ``start`` to ``end`` in unix ms, and the event it began with.

    An ``end`` that equals ``start`` is an instant; None goes on. ``label`` stands in or beside it.
    """

    word: str
    start: int
    end: int | None
    seq: int
    label: str = ""
    until: int | None = None

    def as_list(self) -> list[Any]:
        """As it goes to a page."""
        return [self.word, self.start, self.end, self.seq, self.label, self.until]


@dataclass(slots=True)
class Lane:
    """One line: a name at its left, a note at the right of that, and its items in order."""

    group: str
    name: str
    note: str = ""
    items: list[Item] = field(default_factory=list)

    def turn(self, word: str, at: int, seq: int, label: str = "") -> Item:
        """Begin a stretch, which ends the one before."""
        self.close(at)
        self.items.append(Item(word, at, None, seq, label))
        return self.items[-1]

    def close(self, at: int) -> Item | None:
        """End the stretch that goes on, if one does."""
        last = self.items[-1] if self.items else None
        if last is None or last.end is not None:
            return None
        last.end = at
        return last


@dataclass(slots=True)
class Flag:
    """A named position on the axis."""

    at: int
    name: str
    seq: int
    kind: str


@dataclass(slots=True)
class Lanes:
    """All lanes of a stretch of a ledger, in the order in which they are drawn."""

    lanes: dict[tuple[str, str], Lane] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)
    # What goes on, by the id of its run, and by that of its tool call or decision.
    _runs: dict[str, tuple[Lane, Item]] = field(default_factory=dict)
    _calls: dict[str, Item] = field(default_factory=dict)

    def lane(self, group: str, key: str, name: str = "", note: str = "") -> Lane:
        """The lane of this key, made when it is first spoken of."""
        found = self.lanes.setdefault((group, key), Lane(group, name or key))
        found.note = note or found.note
        return found

    def take(self, one: Happened) -> None:
        """Draw one event more; those that no lane shows change nothing."""
        family = one.type.partition(".")[0]
        if draw := FAMILIES.get(family):
            draw(self, one)


def of(happened: Iterable[Happened]) -> Lanes:
    """The lanes of events, the oldest first; what began before them begins with them."""
    found = Lanes()
    found.lane("", "lifecycle", "Lifecycle")
    for one in happened:
        found.take(one)
    return found


SESSION = {
    "session.created": "created",
    "session.activated": "running",
    "session.recovered": "paused",
}
CLOSED = ("completed", "ended")
# From these events the state of a session follows.
STATES = (*SESSION, "session.suspended", "session.ended")
# What a run does from an event on, what ends it, and what people are waited for with.
RUN = {
    "queued": "queued",
    "resumed": "queued",
    "released": "queued",
    "started": "working",
    "waiting": "waiting",
}
DONE = ("completed", "failed", "cancelled")
PEOPLE = ("approval", "input")
PARTICIPANT = {
    "component.attached": "pending",
    "component.detached": "stopped",
    "component.registered": "registered",
    "component.ready": "ready",
    "component.running": "running",
    "component.held": "ready",
    "component.lost": "lost",
    "component.failed": "failed",
    "component.stopped": "stopped",
    "heartbeat.lost": "lost",
}


def _session(lanes: Lanes, one: Happened) -> None:
    word = SESSION.get(one.type) or str(one.data.get("state", ""))
    if one.type == "session.forked":
        lanes.flags.append(Flag(one.at, "forked", one.seq, "session"))
    elif one.type in STATES:
        item = lanes.lane("", "lifecycle").turn(word, one.at, one.seq)
        item.end = one.at if word in CLOSED else None
        if one.type == "session.activated" and one.data.get("activation") == 1:
            lanes.flags.append(Flag(one.at, "started", one.seq, "session"))


def _error(lanes: Lanes, one: Happened) -> None:
    label = str(one.data.get("code") or "")
    lanes.lane("", "errors", "Errors").items.append(Item("error", one.at, one.at, one.seq, label))


def _component(lanes: Lanes, one: Happened) -> None:
    name = str(one.data.get("name") or "component")
    word = PARTICIPANT.get(one.type)
    if word is None and one.type != "heartbeat.late":
        return
    lane = lanes.lane("Participants", name, note=str(one.data.get("role") or ""))
    last = lane.items[-1] if lane.items else None
    if word is None:
        # A beat that comes after all is not told, so how long this lasted is not known.
        lane.items.insert(_before_open(lane), Item("late", one.at, one.at, one.seq))
    elif last is None or last.word != word or last.end is not None:
        lane.turn(word, one.at, one.seq)


def _before_open(lane: Lane) -> int:
    is_open = bool(lane.items) and lane.items[-1].end is None
    return len(lane.items) - is_open


def _run(lanes: Lanes, one: Happened) -> None:
    run = str(one.data.get("run", ""))
    lane, item = lanes._runs.get(run) or (_lane_of_runs(lanes, one), None)
    number = str(one.data.get("place") or (item.label if item else ""))
    verb = one.type.partition(".")[2]
    if verb in DONE:
        lanes._runs.pop(run, None)
        _end(lane, item, verb, one)
        return
    word = RUN.get(verb)
    if word is None:
        return
    if verb == "waiting" and one.data.get("for") not in PEOPLE:
        word = "queued"
    if item is not None:
        item.end = one.at
    item = Item(word, one.at, None, one.seq, number)
    lane.items.append(item)
    lanes._runs[run] = lane, item


def _lane_of_runs(lanes: Lanes, one: Happened) -> Lane:
    return lanes.lane("Runs", str(one.data.get("agent") or "agent"))


def _end(lane: Lane, item: Item | None, verb: str, one: Happened) -> None:
    if item is None:
        # It began before what is drawn.
        lane.items.append(Item(verb, one.at, one.at, one.seq))
        return
    item.end = one.at
    # Time that people took stays visible as theirs, whatever came of the run.
    if item.word != "waiting":
        item.word = verb


def _tool_call(lanes: Lanes, one: Happened) -> None:
    verb = one.type.partition(".")[2]
    call = str(one.data.get("tool_call", ""))
    lane = lanes.lane("Tool calls", str(one.data.get("tool") or "tool"))
    lane.note = str(one.data.get("risk") or lane.note)
    if verb == "started":
        item = Item("running", one.at, None, one.seq)
        lanes._calls[call] = item
        lane.items.append(item)
    elif verb in {"completed", "failed", "unknown", "cancelled"} and call in lanes._calls:
        item = lanes._calls.pop(call)
        item.word, item.end = verb, one.at


def _approval(lanes: Lanes, one: Happened) -> None:
    verb = one.type.partition(".")[2]
    name = f"approval {one.data.get('approval', '')}"
    lane = lanes.lane("Tool calls", str(one.data.get("tool") or "tool"))
    if verb == "requested":
        item = Item("waiting", one.at, None, one.seq, until=_ms(one.data.get("expires_at")))
        lanes._calls[name] = item
        lane.note = str(one.data.get("risk") or lane.note)
        lane.items.append(item)
    elif verb in {"decided", "expired", "cancelled"} and name in lanes._calls:
        item = lanes._calls.pop(name)
        item.end, item.until = one.at, None
        by = str(one.data.get("by") or "").rpartition(":")[2]
        item.label = f"{one.data.get('state', verb)} by {by}" if by else verb


def _ms(text: Any) -> int | None:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except (TypeError, ValueError):
        return None


def _message(lanes: Lanes, one: Happened) -> None:
    if one.type == "message.created":
        word = str(one.data.get("role") or "user")
        preview = str(one.data.get("preview") or "")[:60]
        lanes.lane("Messages", "Messages").items.append(
            Item(word, one.at, one.at, one.seq, preview)
        )


def _checkpoint(lanes: Lanes, one: Happened) -> None:
    label = str(one.data.get("label") or "")
    if one.type == "checkpoint.created" and label:
        lanes.flags.append(Flag(one.at, label, one.seq, "checkpoint"))


FAMILIES: dict[str, Callable[[Lanes, Happened], None]] = {
    "session": _session,
    "error": _error,
    "component": _component,
    "heartbeat": _component,
    "run": _run,
    "tool_call": _tool_call,
    "approval": _approval,
    "message": _message,
    "checkpoint": _checkpoint,
}
# How the types begin that are drawn: of files and texts that stream, lanes show nothing.
ONLY = {"message": "message.created", "checkpoint": "checkpoint.created"}
DRAWN = tuple(ONLY.get(family, f"{family}.") for family in FAMILIES)
