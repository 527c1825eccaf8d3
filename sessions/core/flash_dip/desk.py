"""The strategy of the story and the desk that carries out its orders on paper."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from sessions.core.flash_dip import market, words
from sessions.core.flash_dip.past import Held, Past

FAST, SLOW = 3, 8
QUANTITY = 0.25
# An order that is further than this from the last kline is refused.
MOST_OFF = 0.01
SLIPPAGE_BPS = 18
OFF_MARKET = "OFF_MARKET"

Said = tuple[str, dict[str, Any]]


class Cross:
    """Two averages of the last closes, and when one crosses the other."""

    def __init__(self) -> None:
        self._closes: deque[float] = deque(maxlen=SLOW)
        self._is_above: bool | None = None

    def take(self, close: float) -> str:
        """The side to be on from this close on; empty when that is as before."""
        self._closes.append(close)
        if len(self._closes) < SLOW:
            return ""
        closes = list(self._closes)
        before, self._is_above = self._is_above, sum(closes[-FAST:]) / FAST > sum(closes) / SLOW
        if before is None or before is self._is_above:
            return ""
        return "buy" if self._is_above else "sell"


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as it is to be."""

    side: str
    quantity: float
    price: float
    reason: str


class Desk:
    """
    What the strategy holds, and what becomes of its orders.

    Orders go out at the price of the book. The desk refuses those that are far from the last
    kline, so that a book that stands still is of no use. The strategy does not notice, and tries
    again with each kline.

    A kline is taken when the book that stood then is here, whichever came first, so that the same
    market leads to the same orders; more than ``patience`` of them are not held. What came of
    ``books`` already is of use to whoever begins anew.
    """

    def __init__(self, patience: int = 0, books: Past | None = None) -> None:
        self.books = Past(words.BOOK_NUMBER) if books is None else books
        self.position = 0.0
        self.is_halted = False
        self._held = Held(patience)
        self._cross = Cross()
        self._wants = ""
        self._mid: float | None = None
        self._kline: dict[str, Any] | None = None
        self._orders = 0

    def take_book(self, book: dict[str, Any]) -> list[Said]:
        """What the strategy says now that it knows where the book stands."""
        self.books.take(book)
        return self._go()

    def take_kline(self, kline: dict[str, Any]) -> list[Said]:
        """What the strategy says to a kline: signals, orders, errors, where it stands."""
        self._held.put(kline)
        return self._go()

    def _go(self) -> list[Said]:
        said: list[Said] = []
        while (kline := self._held.first) is not None:
            if not (self._held.is_late or self.books.has(kline["book"])):
                break
            said += self._follow(self._held.go())
        return said

    def _follow(self, kline: dict[str, Any]) -> list[Said]:
        self._kline = kline
        book = self.books.at(kline["book"])
        if book is not None:
            self._mid = (float(book["bids"][0]["price"]) + float(book["asks"][0]["price"])) / 2
        side = self._cross.take(float(kline["close"]))
        said: list[Said] = []
        if side:
            self._wants = side
            said.append((words.SIGNALS, self._signal(side)))
        said += self._trade()
        held = {"position": f"{self.position:.5f}", "time": kline["close_time"]}
        return [*said, (words.POSITIONS, held)]

    def _signal(self, side: str) -> dict[str, Any]:
        kline = self._last()
        return {"side": side, "close": kline["close"], "time": kline["close_time"]}

    def _trade(self) -> list[Said]:
        is_of_use = self._wants == ("sell" if self.position else "buy")
        if not is_of_use or self.is_halted or self._mid is None:
            return []
        quantity = self.position or QUANTITY
        order = self._order(Wish(self._wants, quantity, self._mid, "moving averages crossed"))
        if order["status"] == "refused":
            return [(words.ORDERS, order), (words.ERRORS, self._error(order))]
        self._wants = ""
        return [(words.ORDERS, order)]

    def _order(self, wish: Wish) -> dict[str, Any]:
        self._orders += 1
        kline = self._last()
        is_filled = abs(wish.price / float(kline["close"]) - 1) <= MOST_OFF
        if is_filled:
            moved = wish.quantity if wish.side == "buy" else -wish.quantity
            self.position = round(self.position + moved, 8)
        return {
            "id": self._orders,
            "symbol": words.SYMBOL,
            "side": wish.side,
            "quantity": f"{wish.quantity:.5f}",
            "price": f"{wish.price:.2f}",
            "status": "filled" if is_filled else "refused",
            "reason": wish.reason,
            "position": f"{self.position:.5f}",
            "time": kline["close_time"],
        }

    def _error(self, order: dict[str, Any]) -> dict[str, Any]:
        close = self._last()["close"]
        return {
            "code": OFF_MARKET,
            "order": order["id"],
            "message": f"{order['price']} is too far from the last kline, {close}.",
            "time": order["time"],
        }

    def _last(self) -> dict[str, Any]:
        assert self._kline is not None  # noqa: S101 -- nothing is ordered before the first kline
        return self._kline

    # What somebody else may ask for

    def flatten(self, *, max_slippage_bps: float) -> dict[str, Any] | None:
        """
        Close the position at the price of the last kline; None if there is nothing to close.

        The strategy rests from then on, until its story begins anew.
        """
        self.is_halted = True
        if not self.position:
            return None
        slippage = min(SLIPPAGE_BPS, max_slippage_bps) / 10_000
        price = float(self._last()["close"]) * (1 - slippage)
        return self._order(Wish("sell", self.position, price, "flattened"))

    def halt(self) -> None:
        """Let the strategy send nothing more."""
        self.is_halted = True

    def standing(self) -> dict[str, Any]:
        """What the desk knows, for whoever writes about it."""
        return {
            "position": f"{self.position:.5f}",
            "orders": self._orders,
            "close": self._kline["close"] if self._kline else None,
            "book_mid": f"{self._mid:.2f}" if self._mid else None,
            "minute": market.minute_of(self._kline) if self._kline else 0,
            "is_halted": self.is_halted,
        }
