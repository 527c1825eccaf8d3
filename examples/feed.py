"""A simulated market: trades, an order book and one-minute klines of one symbol."""

import argparse
import asyncio
import contextlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from components.sdk import Component

START_MS = 1_767_225_600_000
MINUTE_MS = 60_000
TRADES_PER_KLINE = 20
TRADES_PER_BOOK = 5

Said = tuple[str, dict[str, Any]]


class Market:
    """
    Prices that walk at random, the same for the same seed.

    Its clock is its own: a kline's minute passes with every 20 trades, whatever time it takes.
    """

    def __init__(self, symbol: str, seed: int) -> None:
        self.symbol = symbol
        self.chance = random.Random(seed)
        self.price = 87_500.0
        self.trades: list[dict[str, Any]] = []
        self.books = 0

    def events(self) -> Iterator[list[Said]]:
        """For each trade: the trade, then the book and the kline that come with it."""
        number = 0
        while True:
            number += 1
            said = [(f"trades.{self.symbol}", self.trade(number))]
            if number % TRADES_PER_BOOK == 0:
                said.append((f"orderbook.{self.symbol}", self.book(number)))
            if number % TRADES_PER_KLINE == 0:
                said.append((f"klines.{self.symbol}.1m", self.kline()))
            yield said

    def trade(self, number: int) -> dict[str, Any]:
        """The next trade, at a price near the last one."""
        self.price *= 1 + self.chance.gauss(0, 0.0004)
        quantity = round(self.chance.expovariate(8), 5)
        trade = {
            "id": number,
            "price": f"{self.price:.2f}",
            "qty": f"{quantity:.5f}",
            "quote_qty": f"{self.price * quantity:.4f}",
            "time": clock(number),
            "is_buyer_maker": self.chance.random() < 0.5,
        }
        self.trades.append(trade)
        return trade

    def book(self, number: int) -> dict[str, Any]:
        """Five levels on each side of the price."""
        self.books += 1
        return {
            "last_update_id": self.books,
            "event_time": clock(number),
            "bids": [self.level(-step) for step in range(1, 6)],
            "asks": [self.level(step) for step in range(1, 6)],
        }

    def level(self, step: int) -> dict[str, str]:
        """One level of the book, so many steps from the price."""
        quantity = self.chance.expovariate(2)
        return {"price": f"{self.price + step * 0.5:.2f}", "quantity": f"{quantity:.5f}"}

    def kline(self) -> dict[str, Any]:
        """What the trades since the last kline come to."""
        trades, self.trades = self.trades, []
        prices = [float(trade["price"]) for trade in trades]
        bought = [trade for trade in trades if not trade["is_buyer_maker"]]
        open_time = trades[0]["time"] // MINUTE_MS * MINUTE_MS
        return {
            "open_time": open_time,
            "open": trades[0]["price"],
            "high": f"{max(prices):.2f}",
            "low": f"{min(prices):.2f}",
            "close": trades[-1]["price"],
            "volume": total(trades, "qty"),
            "close_time": open_time + MINUTE_MS - 1,
            "quote_volume": total(trades, "quote_qty"),
            "count": len(trades),
            "taker_buy_volume": total(bought, "qty"),
            "taker_buy_quote_volume": total(bought, "quote_qty"),
        }


def clock(number: int) -> int:
    """The market's time of a trade, in unix milliseconds."""
    return START_MS + (number - 1) * MINUTE_MS // TRADES_PER_KLINE


def total(trades: list[dict[str, Any]], member: str) -> str:
    """The sum of one member of the trades."""
    return f"{sum(float(trade[member]) for trade in trades):.5f}"


async def run(options: argparse.Namespace) -> None:
    """Publish at the rate that was asked for while the session runs."""
    market = Market(options.symbol, options.seed)
    async with Component(options.name, role="feed", stay=True) as feed:
        for number, said in enumerate(market.events(), 1):
            if not await feed.running():
                break
            for topic, data in said:
                await feed.publish(topic, data)
            if number == options.count:
                break
            await asyncio.sleep(1 / options.rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="feed")
    parser.add_argument("--symbol", default="BTCUSDT")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same prices")
    parser.add_argument("--rate", type=float, default=20, help="trades a second")
    parser.add_argument("--count", type=int, default=0, help="stop after so many trades")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
