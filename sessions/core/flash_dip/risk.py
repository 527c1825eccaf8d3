"""What is at risk in the story, and when that is an incident."""

from collections import deque
from typing import Any

from sessions.core.flash_dip import market, words
from sessions.core.flash_dip.past import Held, Past

# The book is late after so many seconds of the story.
LATE_SECONDS = 5.0
FALL = 0.02
WINDOW, HELD = 8, 4


Said = tuple[str, dict[str, Any]]


class Meter:
    """
    Position, exposure and the age of the book, from what comes on the topics.

    A kline is taken when the book that stood then and the position after it are here, whichever
    came first, so that the same market leads to the same risk; more than ``patience`` of them are
    not held. What came of ``books`` and ``positions`` already is of use to whoever begins anew.
    """

    def __init__(
        self, patience: int = 0, books: Past | None = None, positions: Past | None = None
    ) -> None:
        self.books = Past(words.BOOK_NUMBER) if books is None else books
        self.positions = Past("time") if positions is None else positions
        self._held = Held(patience)
        self._closes: deque[float] = deque(maxlen=WINDOW)
        self._is_alarmed = False

    def take_book(self, book: dict[str, Any]) -> list[Said]:
        """What is to be said now that the book is known."""
        self.books.take(book)
        return self._go()

    def take_position(self, position: dict[str, Any]) -> list[Said]:
        """What is to be said now that it is known what is held."""
        self.positions.take(position)
        return self._go()

    def take_kline(self, kline: dict[str, Any]) -> list[Said]:
        """The risk after a kline and, once for each incident, the alert."""
        self._held.put(kline)
        return self._go()

    def _go(self) -> list[Said]:
        said: list[Said] = []
        while (kline := self._held.first) is not None:
            is_known = self.books.has(kline["book"]) and self.positions.has(kline["close_time"])
            if not (self._held.is_late or is_known):
                break
            said += self._measure(self._held.go())
        return said

    def _measure(self, kline: dict[str, Any]) -> list[Said]:
        self._closes.append(float(kline["close"]))
        now = self._now(kline)
        said: list[Said] = [(words.RISK, now)]
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
        close, held = float(kline["close"]), self.positions.at(kline["close_time"])
        position = float(held["position"]) if held else 0.0
        book = self.books.at(kline["book"])
        return {
            "symbol": words.SYMBOL,
            "position": f"{position:.5f}",
            "price": f"{close:.2f}",
            "exposure": f"{position * close:.2f}",
            "book_bid": book["bids"][0]["price"] if book else None,
            "book_age_seconds": age(book, kline),
            "time": kline["close_time"],
        }

    def _alert(self, now: dict[str, Any]) -> dict[str, Any]:
        fall = 100 * (1 - float(now["price"]) / max(self._closes))
        return {"kind": "price_gap", **now, "fall_percent": round(fall, 2)}


def age(book: dict[str, Any] | None, kline: dict[str, Any]) -> float:
    """Seconds of the story since the book was last heard of; 0 before it ever was."""
    if book is None:
        return 0.0
    passed = int(kline["close_time"]) + 1 - int(book["event_time"])
    return round(max(0, passed) / market.MINUTE_MS, 1)
