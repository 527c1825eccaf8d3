"""Where the files of a topic lie in the public daily layout of exchange archives."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from streaming.core.errors import TopicNotFound
from streaming.sources.clock_range import utc_ms
from streaming.sources.csv_columns import KLINES, TYPES, Columns

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

INTERVALS = {
    "1s": 1000,
    **{f"{count}m": count * MINUTE_MS for count in (1, 3, 5, 15, 30)},
    **{f"{count}h": count * HOUR_MS for count in (1, 2, 4, 6, 8, 12)},
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": 7 * DAY_MS,
    "1M": 31 * DAY_MS,
}
"""How long a kline of each interval lasts at most (ms)."""

# Neither a dot nor a slash: no name leads out of the dataset's directory.
SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,63}")
BY_WORD = {name.lower(): columns for name, columns in TYPES.items()}


class DayFile(NamedTuple):
    """One file of a topic: its name below the dataset and the first instant of its day (ms)."""

    name: str
    day_ms: int


class CsvName(NamedTuple):
    """A topic's name, taken apart; ``interval`` is empty for all but klines."""

    columns: Columns
    symbol: str
    interval: str

    @property
    def topic(self) -> str:
        """The one spelling of this topic."""
        return ".".join(part for part in (self.columns.type, self.symbol, self.interval) if part)

    @property
    def interval_ms(self) -> int:
        """The length of a kline (ms), else 0."""
        return INTERVALS.get(self.interval, 0)


def read_name(topic: str) -> CsvName | None:
    """The topic taken apart, its type in any case; ``None`` if files cannot have such a topic."""
    word, *rest = topic.split(".")
    columns = BY_WORD.get(word.lower())
    if columns is None or len(rest) != (2 if columns is KLINES else 1):
        return None
    symbol, interval = (*rest, "")[:2]
    if not SYMBOL.fullmatch(symbol) or (columns is KLINES) != (interval in INTERVALS):
        return None
    return CsvName(columns, symbol, interval)


def canonical(topic: str) -> str:
    """
    The one spelling of a source topic: ``aggtrades.X`` is ``aggTrades.X``.

    :raises TopicNotFound: if files of this layout cannot have such a topic
    """
    name = read_name(topic)
    if name is None:
        raise TopicNotFound(
            f"No file can hold the topic {topic}: there are {', '.join(TYPES)}.",
            topic=topic,
            types=list(TYPES),
        )
    return name.topic


def topics(root: Path) -> list[str]:
    """The topics that the dataset has at least one file of, sorted."""
    found = (
        name.topic
        for symbol in _folders(root)
        if SYMBOL.fullmatch(symbol.name)
        for kind in _folders(symbol)
        for name in _names(symbol.name, kind)
        if files(root, name)
    )
    return sorted(set(found))


def files(root: Path, name: CsvName) -> list[DayFile]:
    """The files of a topic in the order of their days; empty if there is none."""
    found: dict[int, DayFile] = {}
    for folder in sorted(_folders(root / name.symbol), reverse=True):
        if folder.name.lower() == name.columns.type.lower():
            inner = folder / name.interval if name.interval else folder
            found.update(_day_files(root, inner, name))
    return [found[day] for day in sorted(found)]


def _day_files(root: Path, folder: Path, name: CsvName) -> Iterator[tuple[int, DayFile]]:
    middle = name.interval or f"(?i:{name.columns.type})"
    pattern = re.compile(rf"{name.symbol}-{middle}-([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})\.csv")
    for file in folder.iterdir() if folder.is_dir() else ():
        match = pattern.fullmatch(file.name)
        day = _day(match[1]) if match else None
        if day is not None:
            yield day, DayFile(file.relative_to(root).as_posix(), day)


def _day(text: str) -> int | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return utc_ms(datetime(found.year, found.month, found.day, tzinfo=UTC))


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (entry for entry in folder.iterdir() if entry.is_dir())


def _names(symbol: str, kind: Path) -> Iterator[CsvName]:
    columns = BY_WORD.get(kind.name.lower())
    if columns is None:
        return
    if columns is not KLINES:
        yield CsvName(columns, symbol, "")
        return
    for folder in _folders(kind):
        if folder.name in INTERVALS:
            yield CsvName(columns, symbol, folder.name)
