"""Recorded frames of exchange sockets: which files there are, and what their streams are called."""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from streaming.core.errors import TopicNotFound
from streaming.sources import inflating

HEAD_BYTES = 2**20
"""The streams of a file are those that occur in so much of its text."""

# binance-spot-btcusdt-20240808.jsonl.gz, binance-usdm-4pairs-ws.txt: exchange, market, symbol.
FILE = re.compile(
    r"[a-z0-9]+-([a-z0-9]+)-([a-z0-9]+)[A-Za-z0-9._-]*(?:\.jsonl|\.jsonl\.gz|-ws\.txt)"
)
STREAM = re.compile(rb'\{"stream":"([a-z0-9_]{1,64}@[A-Za-z]{1,32}(?:[@_][0-9A-Za-z]{1,16})?)",')
SNAPSHOT = re.compile(rb'(?m)^[0-9.]+:? \{"lastUpdateId":')
WORDS = re.compile(r"([a-z0-9_]+)@([A-Za-z]+)(?:[@_]([0-9A-Za-z]+))?")

PRIORITIES = {
    "trade": 1,
    "aggTrade": 2,
    "kline": 3,
    "continuousKline": 3,
    "depth": 4,
    "bookTicker": 4,
    "snapshot": 4,
}
OTHERS = 5


class FrameName(NamedTuple):
    """A topic's name, taken apart: ``spot.depth.BTCUSDT.100ms``; ``detail`` may be empty."""

    market: str
    type: str
    symbol: str
    detail: str

    @property
    def topic(self) -> str:
        return ".".join(part for part in self if part)

    @property
    def stream(self) -> str:
        """What the exchange calls it; empty for a snapshot of an order book, which has no stream."""
        if self.type == "snapshot":
            return ""
        mark = "_" if self.type.lower().endswith("kline") else "@"
        detail = f"{mark}{self.detail}" if self.detail else ""
        return f"{self.symbol.lower()}@{self.type}{detail}"

    @property
    def priority(self) -> int:
        """Its order at one timestamp, smaller first."""
        return PRIORITIES.get(self.type, OTHERS)


def read_name(topic: str) -> FrameName | None:
    """The topic taken apart; ``None`` if frames cannot have such a topic."""
    market, *rest = topic.split(".")
    if not 2 <= len(rest) <= 3 or not all([market, *rest]):
        return None
    type_, symbol, detail = (*rest, "")[:3]
    return FrameName(market.lower(), type_, symbol.upper(), detail)


def canonical(topic: str) -> str:
    """
    The one spelling of a topic of frames: ``Spot.trade.btcusdt`` is ``spot.trade.BTCUSDT``.

    :raises TopicNotFound: if frames cannot have such a topic
    """
    name = read_name(topic)
    if name is None:
        raise TopicNotFound(
            f"No recorded stream is called {topic}: there is MARKET.TYPE.SYMBOL[.DETAIL].",
            topic=topic,
        )
    return name.topic


def topics(root: Path) -> list[str]:
    """The topics whose streams the recordings of a dataset have, sorted."""
    return sorted({name.topic for _, names in _files(root) for name in names})


def files(root: Path, name: FrameName) -> list[str]:
    """The recordings that have a stream, in the order of their names."""
    return [file for file, names in _files(root) if name in names]


def _files(root: Path) -> Iterator[tuple[str, frozenset[FrameName]]]:
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        match = FILE.fullmatch(path.name)
        if match and path.is_file():
            facts = path.stat()
            yield path.name, _names(path, match[1], match[2], facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=1024)
def _names(path: Path, market: str, symbol: str, _size: int, _at: int) -> frozenset[FrameName]:
    head = inflating.Reader(path).read(0, HEAD_BYTES)
    found = {_named(market, stream.decode()) for stream in set(STREAM.findall(head))}
    if SNAPSHOT.search(head):
        found.add(FrameName(market, "snapshot", symbol.upper(), ""))
    return frozenset(found)


def _named(market: str, stream: str) -> FrameName:
    words = WORDS.fullmatch(stream)
    assert words is not None  # noqa: S101 -- it was found by a narrower pattern
    return FrameName(market, words[2], words[1].upper(), words[3] or "")
