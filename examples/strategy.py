"""A moving-average cross: it follows klines and publishes a signal whenever the averages cross."""

import argparse
import asyncio
import contextlib
import sys
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from components.sdk import Component, Gap, Record


class Cross:
    """Two averages of the last closes, and on which side of each other they are."""

    def __init__(self, fast: int, slow: int) -> None:
        self.fast = fast
        self.closes: deque[float] = deque(maxlen=slow)
        self.is_above: bool | None = None

    def take(self, close: float) -> str | None:
        """The side to be on when this close crosses the averages; None when it does not."""
        self.closes.append(close)
        if len(self.closes) < (self.closes.maxlen or 0):
            return None
        before, self.is_above = self.is_above, self.average(self.fast) > self.average(None)
        if before is None or before is self.is_above:
            return None
        return "buy" if self.is_above else "sell"

    def average(self, count: int | None) -> float:
        """The mean of the last ``count`` closes, of all without one."""
        closes = list(self.closes)[-(count or 0) :]
        return sum(closes) / len(closes)

    def forget(self) -> None:
        """Start again: an average over a gap is none."""
        self.closes.clear()
        self.is_above = None


async def run(options: argparse.Namespace) -> None:
    cross = Cross(options.fast, options.slow)
    component = Component(options.name, role="strategy")

    @component.on(f"klines.{options.symbol}.1m")
    async def on_kline(record: Record) -> None:
        side = cross.take(float(record.data["close"]))
        if side is not None:
            signal = {
                "side": side,
                "close": record.data["close"],
                "fast": round(cross.average(cross.fast), 2),
                "slow": round(cross.average(None), 2),
                "cause": str(record.position),
            }
            await component.publish(f"signals.{options.symbol}", signal)
            print(f"{side} at {record.data['close']}", flush=True)

    @component.on(Gap)
    def on_gap(gap: Gap) -> None:
        cross.forget()
        print(f"{gap.count} records of {gap.topic} are missing: {gap.reason}", flush=True)

    await component.serve()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="strategy")
    parser.add_argument("--symbol", default="BTCUSDT")
    parser.add_argument("--fast", type=int, default=5, help="closes of the fast average")
    parser.add_argument("--slow", type=int, default=20, help="closes of the slow average")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
