"""The strategy of the demo, and the desk beside it that agents ask to act."""

import argparse
import asyncio
from typing import Any

from components.sdk import Component, Record
from sessions.core.flash_dip import market, words
from sessions.core.flash_dip.desk import Desk
from sessions.management.programs import options
from sessions.management.programs.rest import Rest

CLOSED = ("approved", "rejected", "expired", "cancelled")


class Strategy:
    """Follows klines and the book, trades on paper, and does what the tools of the desk are asked."""

    def __init__(self, told: argparse.Namespace) -> None:
        self._session = told.session
        self._rest = Rest()
        self._patience = options.patience(told)
        self._desk = Desk(self._patience)
        self._orders: list[dict[str, Any]] = []
        self._strategy = Component(words.STRATEGY, role="strategy", stay=True)
        self._offering = Component(words.DESK, role="tool", component_id=told.companion, stay=True)
        self._follow()
        self._offer()

    def _follow(self) -> None:
        on = self._strategy.on
        on(words.KLINES)(self._on_kline)
        on(words.BOOK)(self._on_book)

    async def run(self) -> None:
        """Be both components until the session lets them go."""
        await asyncio.gather(self._strategy.serve(), self._offering.serve())

    async def _on_book(self, record: Record) -> None:
        for topic, data in self._desk.take_book(record.data):
            await self._say(topic, data)

    async def _on_kline(self, record: Record) -> None:
        if market.begins(record.data):
            self._desk, self._orders = Desk(self._patience, self._desk.books), []
        for topic, data in self._desk.take_kline(record.data):
            await self._say(topic, data)

    async def _say(self, topic: str, data: dict[str, Any]) -> None:
        if topic == words.ORDERS:
            self._orders.append(data)
        await self._strategy.publish(topic, data)

    # The tools of the desk

    def _offer(self) -> None:
        tool, evidence = self._offering.tool, ["risk.{symbol}"]
        tool(risk="low", is_idempotent=True)(self.open_incident)
        tool(risk="safe", is_idempotent=True)(self.read_incident)
        tool(risk="high", parameters=FLATTEN, evidence=evidence)(self.flatten_position)
        tool(risk="medium", is_idempotent=True, evidence=evidence)(self.halt_strategy)
        tool(risk="medium", is_idempotent=True)(self.restart_component)

    async def open_incident(self, alert: dict) -> Any:  # type: ignore[type-arg]  # the schema is made of it
        """Open an incident: keep a checkpoint of this moment and tell everybody."""
        label = {"label": words.CHECKPOINT}
        kept = await self._ask("POST", "sessions", self._session, "checkpoints", body=label)
        told = {"phase": words.OPENED, "symbol": words.SYMBOL, "alert": alert}
        await self._strategy.publish(words.INCIDENTS, told)
        return {"checkpoint": kept["id"]}

    async def read_incident(self) -> Any:
        """What is known of the incident: where the desk stands, its orders, what was decided."""
        query = f"session={self._session}&state=all&ordering=-requested_at&limit=5"
        found = await self._ask("GET", "approvals", query=query)
        decisions = [_decision(one) for one in found["data"] if one["state"] in CLOSED]
        return {
            "standing": self._desk.standing(),
            "orders": self._orders[-10:],
            "decisions": decisions[:3],
        }

    async def flatten_position(self, symbol: str, max_slippage_bps: float) -> Any:
        """Close the position at the market, with at most so many basis points of slippage."""
        order = self._desk.flatten(max_slippage_bps=max_slippage_bps)
        if order is not None:
            await self._say(words.ORDERS, order)
        return {"symbol": symbol, "order": order}

    async def halt_strategy(self, symbol: str) -> Any:
        """Let the strategy send nothing more until the session starts again."""
        self._desk.halt()
        return {"symbol": symbol, "standing": self._desk.standing()}

    async def restart_component(self, name: str) -> Any:
        """Bring the feed of the book back at once."""
        told = {"phase": words.RESTARTED, "symbol": words.SYMBOL, "name": name}
        await self._strategy.publish(words.INCIDENTS, told)
        return {"restarting": name}

    async def _ask(self, *asked: str, body: Any = None, query: str = "") -> Any:
        return await asyncio.to_thread(self._rest.ask, *asked, body=body, query=query)


FLATTEN = {
    "type": "object",
    "properties": {
        "symbol": {"type": "string", "enum": [words.SYMBOL]},
        "max_slippage_bps": {"type": "number", "minimum": 1, "maximum": 100},
    },
    "required": ["symbol", "max_slippage_bps"],
    "additionalProperties": False,
}


def _decision(approval: dict[str, Any]) -> dict[str, Any]:
    asked = approval["tool_call"]
    arguments = approval["edited_arguments"] or asked["arguments"]
    return {
        "tool": asked["name"],
        "arguments": ", ".join(f"{name}={value}" for name, value in arguments.items()),
        "state": approval["state"],
        "by": approval["decided_by"],
        "reason": approval["reason"],
    }


if __name__ == "__main__":
    asyncio.run(Strategy(options.parser(__doc__ or "").parse_args()).run())
