"""The market of the story: what it says at each tick, the same for the same seed."""

import hashlib
import math
from dataclasses import dataclass
from typing import Any

from sessions.core.flash_dip import words

START_MS = 1_767_225_600_000
MINUTE_MS = 60_000
# A second of the story is a minute of the market.
TICKS_A_SECOND = 10
FIRST_PRICE = 88_000.0

# Seconds of the story.
RISE_AT, FREEZE_AT, GAP_AT = 8, 30, 38
RESUME_AFTER = 20
GAP = 0.03

FALL, RISE = -0.0004, 0.0006
SWELL, SWELL_SECONDS = 0.0004, 60
JITTER = 0.00008
LEVELS, LEVEL_STEP = 5, 0.5


@dataclass(frozen=True, slots=True)
class Tick:
    """
    What comes at one tick.

    ``book`` is None while it is silent, ``kline`` but at the end of a minute. ``has_link`` says
    whether the feed of the book is there at all: it falls silent first, and is lost later.
    """

    book: dict[str, Any] | None
    kline: dict[str, Any] | None
    has_link: bool


class Market:
    """Klines and an order book that freezes, before a gap in the price that it does not show."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._number = 0
        self._price = FIRST_PRICE
        self._resumes_at: int | None = None
        self._prices: list[float] = []
        self._last_book = 0

    @property
    def second(self) -> float:
        """How far the story has come."""
        return self._number / TICKS_A_SECOND

    def resume(self, *, after_seconds: float) -> None:
        """Let the book come back, so many seconds of the story from now; one that is there stays."""
        if self._resumes_at is None and self.second > FREEZE_AT:
            self._resumes_at = self._number + 1 + round(after_seconds * TICKS_A_SECOND)

    @property
    def has_resumed(self) -> bool:
        """Whether the book came back after it was gone."""
        return self._resumes_at is not None and self._number >= self._resumes_at

    @property
    def is_resuming(self) -> bool:
        """Whether it came back with the last tick."""
        return self._number == self._resumes_at

    def tick(self) -> Tick:
        """Go on by a tick of the story."""
        self._price *= 1 + self._change()
        self._prices.append(self._price)
        self._number += 1
        is_silent = self.second > FREEZE_AT and not self.has_resumed
        is_minute = self._number % TICKS_A_SECOND == 0
        return Tick(
            book=None if is_silent else self._book(),
            kline=self._kline() if is_minute else None,
            has_link=self.second <= GAP_AT or self.has_resumed,
        )

    def _change(self) -> float:
        if self._number == GAP_AT * TICKS_A_SECOND:
            return -GAP
        return drift(self.second) / TICKS_A_SECOND + JITTER * self._noise("price", self._number)

    def _noise(self, what: str, number: int) -> float:
        return noise(self._seed, what, number)

    @property
    def _ms(self) -> int:
        return START_MS + self._number * MINUTE_MS // TICKS_A_SECOND

    def _book(self) -> dict[str, Any]:
        self._last_book = self._number
        return {
            "last_update_id": self._number,
            "event_time": self._ms,
            "bids": [self._level(-step) for step in range(1, LEVELS + 1)],
            "asks": [self._level(step) for step in range(1, LEVELS + 1)],
        }

    def _level(self, step: int) -> dict[str, str]:
        quantity = 0.6 + 0.5 * self._noise(f"level{step}", self._number)
        price = self._price + step * LEVEL_STEP
        return {"price": f"{price:.2f}", "quantity": f"{quantity:.5f}"}

    def _kline(self) -> dict[str, Any]:
        prices, self._prices = self._prices, []
        volume = 12 + 8 * self._noise("volume", self._number)
        return {
            "open_time": self._ms - MINUTE_MS,
            "open": f"{prices[0]:.2f}",
            "high": f"{max(prices):.2f}",
            "low": f"{min(prices):.2f}",
            "close": f"{prices[-1]:.2f}",
            "volume": f"{volume:.5f}",
            "close_time": self._ms - 1,
            # Topics come each at its own pace; by this everybody knows which book stood then.
            "book": self._last_book,
            "count": 100 + self._number % 37,
        }


def drift(second: float) -> float:
    """How much the price moves by itself in a second, as a share: down, up, then to and fro."""
    if second < RISE_AT:
        return FALL
    if second < GAP_AT:
        return RISE
    return SWELL * math.sin(2 * math.pi * (second - GAP_AT) / SWELL_SECONDS)


def noise(seed: int, what: str, number: int) -> float:
    """Chance from -1 up to 1 that is the same for the same three."""
    digest = hashlib.sha256(f"{seed}:{what}:{number}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**55 - 1


def minute_of(kline: dict[str, Any]) -> int:
    """The number of a kline in the story, the first is 1."""
    return (int(kline["open_time"]) - START_MS) // MINUTE_MS + 1


def begins(kline: dict[str, Any]) -> bool:
    """Whether a kline is the first of a story; whoever follows it forgets the one before."""
    return minute_of(kline) == 1


def topics(tick: Tick) -> list[tuple[str, dict[str, Any]]]:
    """What a tick says on which topic."""
    said = ((words.BOOK, tick.book), (words.KLINES, tick.kline))
    return [(topic, data) for topic, data in said if data is not None]
