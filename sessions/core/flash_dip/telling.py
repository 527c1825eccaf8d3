"""What the agents of the story say, made of what they read."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from sessions.core.flash_dip import market, words

SLIPPAGE_BPS = 40

Row = Mapping[str, Any]


def detected(alert: Row) -> str:
    """The first words about an alert."""
    return (
        f"{words.SYMBOL} fell {alert['fall_percent']} % to {alert['price']}, and its order book "
        f"says nothing for {alert['book_age_seconds']:g} s while klines go on. "
        f"{words.STRATEGY} holds {alert['position']}. This is an incident."
    )


def explained(klines: Sequence[Row], books: Sequence[Row]) -> str:
    """What happened, with the records that show it."""
    fall = _fall(klines)
    book = f"The last book is {_book(books[-1])}. " if books else "There is no book at all. "
    return (
        f"{fall}{book}"
        f"So the feed of the book stands still, and the venue does not: {words.STRATEGY} prices "
        "its orders by a book that is minutes old. Each of them is refused as off the market, "
        "and it keeps what it holds while the price falls. The position is open, and nothing "
        "guards it."
    )


def _fall(klines: Sequence[Row]) -> str:
    pairs = list(itertools.pairwise(klines))
    if not pairs:
        return ""
    before, after = min(pairs, key=lambda pair: _close(pair[1]) / _close(pair[0]))
    percent = 100 * (_close(after) / _close(before) - 1)
    return (
        f"Kline {before['seq']} of {words.KLINES} closed at {before['data']['close']}, "
        f"kline {after['seq']} at {after['data']['close']}: {percent:.2f} % in a minute. "
    )


def _close(row: Row) -> float:
    return float(row["data"]["close"])


def _book(row: Row) -> str:
    return f"record {row['seq']} of {words.BOOK}, with a bid of {row['data']['bids'][0]['price']}"


ASKING = (
    f"I want to close the position of {words.STRATEGY} at the market, at most {SLIPPAGE_BPS} "
    "basis points from the last kline: the book is of no use, and each minute without one may "
    "cost more than the slippage. It cannot be undone, so somebody has to say yes."
)
HALTING = (
    "The position stays, as was decided. I propose to halt the strategy, so that it sends no more "
    "orders by a book that stands still."
)
EXPIRED = (
    f"Nobody decided in time. The position of {words.STRATEGY} stays open and the session stays "
    f"degraded: {words.BOOK_FEED} is gone and nobody watches the exposure."
)
WRITTEN = f"The report is in {words.REPORT}."
UNWRITTEN = f"There is no report: {words.DESK} does not say what happened."
OUTCOMES = {
    words.APPROVED: "The exposure is gone. The feed of the book is being brought back.",
    words.HALTED: "The strategy is halted and keeps its position. The book is being brought back.",
    words.REJECTED: "Neither was wanted. The strategy goes on, and the book is being brought back.",
    words.EXPIRED: f"The session stays degraded. `use {words.RESTART}` brings the book back.",
}


def filled(order: Row | None) -> str:
    """What came of closing the position."""
    if not order:
        return "There was no position left to close."
    return (
        f"Sold {order['quantity']} {words.SYMBOL} at {order['price']}; "
        f"the position is {order['position']}."
    )


def report(incident: Row, outcome: str) -> str:
    """The report of an incident, as Markdown."""
    standing = incident["standing"]
    lines = [
        f"# Incident: {words.SYMBOL} fell while its book stood still",
        "",
        f"- Book silent from second {market.FREEZE_AT}, price gap at second {market.GAP_AT}.",
        f"- Outcome: {outcome}.",
        f"- Position now: {standing['position']} ({standing['orders']} orders, "
        f"last kline {standing['close']}, strategy {_halted(standing)}).",
        f"- Checkpoint: “{words.CHECKPOINT}”.",
        "",
        "## Decisions",
        "",
        "| Tool | Asked for | Decided | By | Reason |",
        "| --- | --- | --- | --- | --- |",
        *(_decision(one) for one in incident["decisions"]),
        "",
        "## Orders",
        "",
        "| Order | Side | Quantity | Price | Status | Position after |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_order(one) for one in incident["orders"]),
        "",
    ]
    return "\n".join(lines)


def _halted(standing: Row) -> str:
    return "halted" if standing["is_halted"] else "trading"


def _decision(one: Row) -> str:
    cells = (one["tool"], one["arguments"], one["state"], one["by"] or "nobody", one["reason"])
    return _cells(cells)


def _order(one: Row) -> str:
    names = ("id", "side", "quantity", "price", "status", "position")
    return _cells([one[name] for name in names])


def _cells(values: Sequence[Any]) -> str:
    # Somebody may have written a bar in a reason.
    return f"| {' | '.join(str(value).replace('|', '/') for value in values)} |"
