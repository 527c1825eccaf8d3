"""What went badly, counted by what it was, in bounded memory and without values."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

LONGEST_SHAPE = 300

TEXT = re.compile(r"'(?:[^']|'')*'")
NUMBER = re.compile(r"(?<![\w%$])[+-]?\d[\d.]*(?:e[+-]?\d+)?\b", re.IGNORECASE)
LIST = re.compile(r"\((?:%s|\?)(?:\s*,\s*(?:%s|\?))+\)")
ROWS = re.compile(r"(\((?:…|%s|\?)\))(?:\s*,\s*\1)+")
COLUMNS = re.compile(r"(SELECT (?:DISTINCT )?)(.*?) FROM ")
MANY_COLUMNS = 5

K = TypeVar("K", bound=Hashable)


def shape(statement: str) -> str:
    """
    A statement without its values and without what makes the same one look different.

    Texts and numbers are marks, names have no quotes, lists of any length are one, and so are the columns that are asked
    for, where there are many.
    """
    said = " ".join(statement.replace('"', "").split())
    said = LIST.sub("(…)", NUMBER.sub("?", TEXT.sub("?", said)))
    said = ROWS.sub(r"\1, …", said)
    found = COLUMNS.match(said)
    if found is not None and found[2].count(",") >= MANY_COLUMNS:
        said = f"{found[1]}…{said[found.end(2) :]}"
    return said if len(said) <= LONGEST_SHAPE else f"{said[: LONGEST_SHAPE - 1]}…"


@dataclass(slots=True)
class Strain:
    """How often, and the worst of them."""

    count: int = 0
    worst: float = 0.0

    def add(self, count: int, worst: float) -> None:
        """So many more."""
        self.count += count
        self.worst = max(self.worst, worst)


class Tally(Generic[K]):
    """
    Strains by their key; of more than ``most`` keys at once, the later ones are counted as ``rest``.

    It is for one thread at a time.
    """

    def __init__(self, *, most: int, rest: K) -> None:
        self._most, self._rest = most, rest
        self._found: dict[K, Strain] = {}

    def note(self, key: K, *, count: int = 1, worst: float = 0.0) -> None:
        """Count so many of a kind."""
        if key not in self._found and len(self._found) >= self._most:
            key = self._rest
        self._found.setdefault(key, Strain()).add(count, worst)

    def give_back(self, found: Mapping[K, Strain]) -> None:
        """Count again what was taken."""
        for key, strain in found.items():
            self.note(key, count=strain.count, worst=strain.worst)

    def take(self) -> dict[K, Strain]:
        """What was counted since the last time."""
        found, self._found = self._found, {}
        return found
