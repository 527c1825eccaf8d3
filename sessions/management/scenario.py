"""What the demo plays: a simulated market, or the exchange files of a folder."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.core.lifecycle import Role
from sessions.core.flash_dip import words
from sessions.core.lifecycle import Mode
from sessions.core.source import FASTEST
from sessions.management.serving import CannotServe
from streaming.sources import csv_layout
from streaming.sources.csv_columns import TYPES
from streaming.sources.csv_layout import DAY_MS, CsvName
from streaming.sources.source import SourceSpec, open_source

DATASET = "data"
SYMBOL, INTERVAL = "BTCUSDT", "1m"
# Trades move by themselves; where there are none, a kline shall take a second.
TRADES_SPEED = 5
TRADES = (TYPES["trades"], TYPES["aggTrades"])
EXPECTED = "They are expected at SYMBOL/TYPE/[INTERVAL/]SYMBOL-…-YYYY-MM-DD.csv."


@dataclass(frozen=True, slots=True)
class Part:
    """
    A component of the demo and the program that plays it, by its place in the checkout.

    A program may play a ``companion`` beside it, which is optional. One without a role plays no
    component of this session at all.
    """

    name: str
    role: Role | None
    program: str
    arguments: Sequence[str] = ()
    required: bool = True
    companion: tuple[str, Role] | None = None


def example(name: str, role: Role, *arguments: str) -> Part:
    """A part that is played by the example of this name."""
    return Part(name, role, f"examples/{name}.py", arguments)


def player(name: str, role: Role | None, program: str, **more: Any) -> Part:
    """A part of the story."""
    return Part(name, role, f"sessions/management/programs/{program}.py", **more)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A session and its parts; ``prices`` is the topic to look at first."""

    key: str
    name: str
    mode: Mode
    parts: Sequence[Part]
    prices: str
    config: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=lambda: {"demo": True})
    agent: str = ""
    is_story: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How the story is played: seconds of it in one second, and the seed of its chance."""

    speed: float = 1.0
    seed: int = 7


# Seconds of the story until somebody is asked.
APPROVAL_SECONDS = 65
SINK = example("sink", Role.SINK)
QUIET = player("quiet", None, "quiet")
STORY = Scenario(
    key="btc-flash-dip",
    name="BTC flash dip",
    mode=Mode.REALTIME,
    parts=(
        player(words.EXCHANGE, Role.FEED, "sim_exchange", companion=(words.BOOK_FEED, Role.FEED)),
        player(words.STRATEGY, Role.STRATEGY, "ma_cross", companion=(words.DESK, Role.TOOL)),
        player(words.METER, Role.OBSERVER, "risk_meter", required=False),
        QUIET,
    ),
    prices=words.KLINES,
    config={"topics": [{"pattern": "klines.**", "recorded": True, "tape": {"days": 1}}]},
    agent=words.HOST,
    is_story=True,
)


def replayed(folder: Path) -> Scenario:
    """
    The files of a folder, from where their finest klines begin.

    :raises CannotServe: if the folder holds no exchange file, or none with a good row
    """
    names = [name for topic in csv_layout.topics(folder) if (name := csv_layout.read_name(topic))]
    if not names:
        raise CannotServe(f"There are no exchange files in {folder}.", EXPECTED)
    followed = min(names, key=_choice)
    begin_ms = _begin_ms(folder, followed)
    speed = TRADES_SPEED if _has_trades(folder, names, begin_ms) else _klines_speed(followed)
    source = {"layout": "csv", "dataset": DATASET, "from": begin_ms, "speed": speed}
    return Scenario(
        key="data-demo",
        name="Exchange files, replayed",
        mode=Mode.HISTORICAL,
        parts=(*_strategy(followed), SINK),
        prices=followed.topic,
        config={"source": source},
        # Another folder is another session; the path itself is nobody's business.
        metadata={"demo": True, "data": hashlib.sha256(str(folder.resolve()).encode()).hexdigest()},
    )


def _choice(name: CsvName) -> tuple[bool, int, bool, str]:
    return not name.interval, name.interval_ms, name.symbol != SYMBOL, name.topic


def _begin_ms(folder: Path, followed: CsvName) -> int:
    (topic,) = open_source(SourceSpec(folder, (followed.topic,))).topics
    block = topic.read(topic.begin(b""))
    if block is None:
        raise CannotServe(f"No row of {followed.topic} can be read in {folder}.", EXPECTED)
    # The clock time of a kline is its end.
    return block.ts[0] - followed.interval_ms


def _has_trades(folder: Path, names: Sequence[CsvName], begin_ms: int) -> bool:
    days = {begin_ms // DAY_MS, begin_ms // DAY_MS + 1}
    files = (
        file for name in names if name.columns in TRADES for file in csv_layout.files(folder, name)
    )
    return any(file.day_ms // DAY_MS in days for file in files)


def _klines_speed(followed: CsvName) -> int:
    return min(FASTEST, followed.interval_ms // 1000 or TRADES_SPEED)


def _strategy(followed: CsvName) -> list[Part]:
    # The example follows klines of one minute.
    if followed.interval != INTERVAL:
        return []
    return [example("strategy", Role.STRATEGY, "--symbol", followed.symbol)]
