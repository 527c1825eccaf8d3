"""Daily exchange files as tests make them, and where the real ones are."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from streaming.sources.source import Source

DAY = "2024-08-08"
DAY_MS = 1_723_075_200_000
"""The first instant of ``DAY`` (unix ms)."""

needs_data = pytest.mark.skipif(
    "AEGIS_DATA" not in os.environ, reason="AEGIS_DATA names no folder of real files"
)


def real(name: str) -> Path:
    """A dataset of the real files; only for tests marked ``needs_data``."""
    return Path(os.environ["AEGIS_DATA"]) / "market" / name


def document(name: str) -> bytes:
    """One of the real documents; only for tests marked ``needs_data``."""
    return (Path(os.environ["AEGIS_DATA"]) / name).read_bytes()


def write(root: Path, topic: str, rows: Iterable[str], *, day: str = DAY, header: str = "") -> Path:
    """Make the file of a topic's day, each row a line."""
    kind, symbol, *interval = topic.split(".")
    folder = root.joinpath(symbol, kind, *interval)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{symbol}-{''.join(interval) or kind}-{day}.csv"
    lines = [header, *rows] if header else list(rows)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def trade(number: int, ts: int, price: str = "1.50") -> str:
    """A row of trades."""
    return f"{number},{price},2.0,3.00,{ts},true"


def trade_data(number: int, ts: int, price: str = "1.50") -> bytes:
    """What such a row becomes."""
    return (
        f'{{"id":{number},"price":{price},"qty":2.0,"quote_qty":3.00,'
        f'"time":{ts},"is_buyer_maker":true}}'
    ).encode()


def agg_trade(number: int, ts: int) -> str:
    """A row of aggTrades."""
    return f"{number},1.5,2.0,7,8,{ts},false"


def kline(open_time: int, close_time: int) -> str:
    """A row of klines."""
    return f"{open_time},1.0,2.0,0.5,1.5,10.0,{close_time},15.0,3,4.0,5.0,0"


def in_small_blocks(opened: Source, size: int) -> Source:
    """The same source, read in blocks of so many bytes: many of them out of few rows."""
    topics = [replace(cast(Any, topic), block_bytes=size) for topic in opened.topics]
    return replace(opened, topics=topics)
