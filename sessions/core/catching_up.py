"""What somebody who comes late has to be told of a run: all that still counts, in few pieces."""

from collections.abc import Iterable
from typing import NamedTuple

from sessions.core.run_log import AnyEntry, Start, Status, Text


class Numbered(NamedTuple):
    """An entry of a run's log, with its ``seq`` and its time (unix ms)."""

    seq: int
    ts: int
    entry: AnyEntry


def so_far(entries: Iterable[Numbered]) -> list[Numbered]:
    """
    What still counts of a log from its beginning, in its order.

    What later attempts made void is gone, text stands in one piece until something else comes
    between, with the number of its last piece, and of where the run stood only the last is said.
    """
    told: list[Numbered] = []
    for one in _counting(entries):
        before = told[-1].entry if told else None
        if isinstance(before, Status):
            told.pop()
            before = told[-1].entry if told else None
        if isinstance(before, Text) and isinstance(one.entry, Text):
            told[-1] = one._replace(entry=Text(text=before.text + one.entry.text))
        else:
            told.append(one)
    return told


def _counting(entries: Iterable[Numbered]) -> list[Numbered]:
    held: list[Numbered] = []
    for one in entries:
        if isinstance(one.entry, Start):
            held = [kept for kept in held if kept.seq <= one.entry.keeps]
        held.append(one)
    return held
