"""What is at risk in the story, and when that is an incident."""

from collections import deque
from typing import Any

from sessions.core.flash_dip import market, words

# The book is late after so many seconds of the story.
LATE_SECONDS = 5.0
FALL = 0.02
WINDOW, HELD = 8, 4


class Meter:
    """Position, exposure and the age of the book, from what comes on the topics."""

    def __init__(self) -> None:
        self._position = 0.0
        self._book: dict[str, Any] | None = None
        self._closes: deque[float] = deque(maxlen=WINDOW)
        self._is_alarmed = False

    def take_book(self, book: dict[str, Any]) -> None:
        """Note the newest book."""
        self._book = book

    def take_order(self, order: dict[str, Any]) -> None:
        """Note what is held after an order."""
        self._position = float(order["position"])

    def take_kline(self, kline: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """The risk after a kline and, once for each incident, the alert."""
        self._closes.append(float(kline["close"]))
        now = self._now(kline)
        said = [(words.RISK, now)]
        is_late = now["book_age_seconds"] >= LATE_SECONDS
        if is_late and not self._is_alarmed and self._has_fallen():
            self._is_alarmed = True
            said.append((words.ALERTS, self._alert(now)))
        # Over is an incident when the book is back.
        self._is_alarmed = self._is_alarmed and is_late
        return said

    def _has_fallen(self) -> bool:
        closes = list(self._closes)
        return len(closes) > HELD and max(closes[-HELD:]) < max(closes) * (1 - FALL)

    def _now(self, kline: dict[str, Any]) -> dict[str, Any]:
        close = float(kline["close"])
        return {
            "symbol": words.SYMBOL,
            "position": f"{self._position:.5f}",
            "price": f"{close:.2f}",
            "exposure": f"{self._position * close:.2f}",
            "book_bid": self._book["bids"][0]["price"] if self._book else None,
            "book_age_seconds": self._age(kline),
            "time": kline["close_time"],
        }

    def _age(self, kline: dict[str, Any]) -> float:
        """Seconds of the story since the book was last heard of; 0 before it ever was."""
        if self._book is None:
            return 0.0
        passed = int(kline["close_time"]) + 1 - int(self._book["event_time"])
        return round(max(0, passed) / market.MINUTE_MS, 1)

    def _alert(self, now: dict[str, Any]) -> dict[str, Any]:
        fall = 100 * (1 - float(now["price"]) / max(self._closes))
        return {"kind": "price_gap", **now, "fall_percent": round(fall, 2)}
