"""The resume rule: where a subscription goes on, and what it must be told before."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from aegis_project.kit.errors import ValidationFailed
from streaming.core.position import MAX_SEQ, Cursor, Position

Reason = Literal["retention", "overrun", "conflated", "cut", "seek", "epoch", "rollback"]

LATEST = re.compile(r"latest(?:-([0-9]{1,15}))?\Z")
PLACED = re.compile(r"(seq|time):([0-9]{1,16})\Z")


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin without a cursor; ``value`` is a count, a seq or unix milliseconds."""

    kind: Literal["latest", "earliest", "seq", "time"] = "latest"
    value: int = 0


def parse_start(text: str) -> Start:
    """
    Read ``latest``, ``latest-n``, ``earliest``, ``seq:n`` or ``time:ms``.

    :raises ValidationFailed: for anything else
    """
    if text == "earliest":
        return Start("earliest")
    if found := LATEST.match(text):
        return Start("latest", int(found[1] or 0))
    found = PLACED.match(text)
    if not found or int(found[2]) > MAX_SEQ:
        raise ValidationFailed("A start is latest, latest-n, earliest, seq:n or time:ms.")
    return Start("seq" if found[1] == "seq" else "time", int(found[2]))


@dataclass(frozen=True, slots=True)
class LogView:
    """
    What the rule may know of a log: its epoch, bounds, and chain values at the points asked for.

    ``ck`` has an entry only for a seq whose chain value the log can prove.
    """

    epoch: str
    start: int
    head: int
    ck: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Rewind:
    """What the subscriber holds above ``to`` is no longer in the log."""

    to: int
    ck: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """Exactly the numbers from ``first`` to ``last`` are missing."""

    first: int
    last: int
    reason: Reason

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Unprovable:
    """Nobody can know what is missing; ``previous`` is where the subscriber says it was."""

    previous: Position
    reason: Reason


Notice = Rewind | Gap | Unprovable


@dataclass(frozen=True, slots=True)
class Placement:
    """
    Where a subscription goes on.

    ``next`` is the first seq to deliver, ``ck`` the chain value before it (``None`` when ``next``
    lies ahead of the log), ``notice`` what must be told first, ``is_resumed`` whether the log
    proved the cursor itself. A client that brought a cursor and was not resumed keeps it until
    the notice has come: that may be lost on the way.
    """

    next: int
    ck: bytes | None
    notice: Notice | None = None
    is_resumed: bool = False


def points(start: int, head: int, begin: Start, cursor: Cursor | None) -> set[int]:
    """Name the places at which :func:`place` wants to know the chain value of a log."""
    wanted = {start - 1, head, _first(start, head, begin) - 1}
    if cursor is not None:
        wanted.add(cursor.seq)
        wanted.update(seq for seq, _ in cursor.trail)
    return wanted


def place(view: LogView, begin: Start, cursor: Cursor | None = None) -> Placement:
    """
    Apply the rule; ``begin`` counts without a cursor, and where a cursor proves nothing.

    A start by time must have been turned into a start by seq.
    """
    if cursor is None:
        return _begin(view, begin)
    return (
        _proven(view, cursor)
        or _rewound(view, cursor)
        or _passed(view, cursor)
        or _unprovable(view, begin, cursor)
    )


# The four cases, in their order


def _proven(view: LogView, cursor: Cursor) -> Placement | None:
    if view.ck.get(cursor.seq) != cursor.ck:
        return None
    return Placement(cursor.seq + 1, cursor.ck, is_resumed=True)


def _rewound(view: LogView, cursor: Cursor) -> Placement | None:
    for seq, ck in reversed(cursor.trail):
        if seq < cursor.seq and view.ck.get(seq) == ck:
            return Placement(seq + 1, ck, Rewind(seq, ck))
    return None


def _passed(view: LogView, cursor: Cursor) -> Placement | None:
    if cursor.epoch != view.epoch or cursor.seq >= view.start - 1:
        return None
    gap = Gap(cursor.seq + 1, view.start - 1, "retention")
    return Placement(view.start, view.ck.get(view.start - 1), gap)


def _unprovable(view: LogView, begin: Start, cursor: Cursor) -> Placement:
    reason: Reason = "epoch" if cursor.epoch != view.epoch else "rollback"
    first = max(_first(view.start, view.head, begin), view.start)
    previous = Position(cursor.epoch, cursor.seq, cursor.ck)
    return Placement(first, view.ck.get(first - 1), Unprovable(previous, reason))


# Without a cursor


def _begin(view: LogView, begin: Start) -> Placement:
    first = _first(view.start, view.head, begin)
    if first >= view.start:
        return Placement(first, view.ck.get(first - 1))
    gap = Gap(first, view.start - 1, "retention")
    return Placement(view.start, view.ck.get(view.start - 1), gap)


def _first(start: int, head: int, begin: Start) -> int:
    if begin.kind == "latest":
        return max(start, head + 1 - begin.value)
    return start if begin.kind == "earliest" else max(begin.value, 1)
