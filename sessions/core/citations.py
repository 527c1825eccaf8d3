"""What a text says of topics: their names, records by number, and values that were read there."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MOST_VALUES = 20_000
# Fewer digits than that are in many records, and point to none.
LEAST_DIGITS = 4
NUMBER = r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?!\w|[.,]\d)"
PLAIN = re.compile(r"\d+(?:\.\d+)?")


class Sight(NamedTuple):
    """A record that was read: its topic, its number there, and its time in unix ms."""

    topic: str
    seq: int
    ts: int


class Piece(NamedTuple):
    """A part of a text; ``sight`` is the record that it tells of, ``topic`` the topic that it names."""

    text: str
    topic: str = ""
    sight: Sight | None = None


@dataclass(slots=True)
class Seen:
    """Records that were read in a conversation, by number and by what is in them."""

    _records: dict[tuple[str, int], Sight] = field(default_factory=dict)
    _values: dict[str, Sight] = field(default_factory=dict)

    def take(self, topic: str, rows: Iterable[Any]) -> None:
        """Take what was read of a topic: ``{seq, ts, data}`` of each record, the oldest first."""
        for row in rows:
            if not _is_record(row):
                continue
            sight = Sight(topic, row["seq"], row["ts"])
            self._records.setdefault((topic, sight.seq), sight)
            for value in _numbers(row["data"]):
                if len(self._values) >= MOST_VALUES:
                    return
                self._values.setdefault(value, sight)

    def take_answer(self, answer: Any) -> None:
        """Take what a tool answered, if it was what is in a topic."""
        if isinstance(answer, Mapping) and isinstance(answer.get("records"), list):
            self.take(str(answer.get("topic", "")), answer["records"])

    @property
    def topics(self) -> set[str]:
        """The topics of which something was read."""
        return {topic for topic, _ in self._records}

    def record(self, topic: str, seq: int) -> Sight | None:
        """A record by its number, if it was read."""
        return self._records.get((topic, seq))

    def value(self, text: str) -> Sight | None:
        """The first record that was read with this number in it."""
        return self._values.get(_plain(text))


def pieces(text: str, topics: Collection[str], seen: Seen) -> list[Piece]:
    """
    A text in parts, in their order, of which some tell of a topic or a record.

    ``38 of klines.BTCUSDT.1m`` and ``klines.BTCUSDT.1m#38`` name a record; a number that was read
    tells of the first record that it was in. What is of another topic than these is plain text.
    """
    found, end = [], 0
    for match in _pattern(text, topics).finditer(text):
        piece = _piece(match, topics, seen)
        if piece is None:
            continue
        if match.start() > end:
            found.append(Piece(text[end : match.start()]))
        found.append(piece)
        end = match.end()
    return [*found, Piece(text[end:])] if end < len(text) else found


def _pattern(text: str, topics: Collection[str]) -> re.Pattern[str]:
    # The longest first: one may be how another begins.
    named = sorted((name for name in topics if name in text), key=len, reverse=True)
    if not named:
        return re.compile(NUMBER)
    either = "|".join(map(re.escape, named))
    topic = rf"(?<![\w.-])(?:(?P<before>\d{{1,15}}) of )?(?P<topic>{either})(?![\w-]|\.\w)"
    return re.compile(rf"{topic}(?:#(?P<behind>\d{{1,15}}))?|{NUMBER}")


def _piece(match: re.Match[str], topics: Collection[str], seen: Seen) -> Piece | None:
    text, named = match[0], match.groupdict()
    topic = named.get("topic")
    if not topic:
        sight = seen.value(text)
        if sight is None or sight.topic not in topics:
            return None
        return Piece(text, sight.topic, sight)
    seq = named["before"] or named["behind"]
    return Piece(text, topic, seen.record(topic, int(seq)) if seq else None)


def _is_record(row: Any) -> bool:
    return (
        isinstance(row, Mapping)
        and isinstance(row.get("seq"), int)
        and isinstance(row.get("ts"), int)
        and "data" in row
    )


def _numbers(data: Any) -> Iterable[str]:
    left = [data]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            left += one.values()
        elif isinstance(one, list):
            left += one
        elif not isinstance(one, bool) and isinstance(one, int | float | str):
            value = _plain(str(one))
            if value:
                yield value


def _plain(text: str) -> str:
    """A number as it is compared: without separators and last zeros; empty for one of few digits."""
    plain = text.replace(",", "")
    if not PLAIN.fullmatch(plain):
        return ""
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    digits = plain.replace(".", "").lstrip("0")
    return plain if len(digits) >= LEAST_DIGITS else ""
