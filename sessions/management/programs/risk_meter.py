"""The observer of the demo: position, exposure and the age of the book."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from typing import Any

from components.sdk import Component, Record
from sessions.core.flash_dip import market, words
from sessions.core.flash_dip.risk import Meter, Said
from sessions.management.programs import options
from sessions.management.programs.rest import Refused, Rest

FILE = "risk.json"


class Observer:
    """Publishes the risk after each kline, and keeps it in a file whenever the position moved."""

    def __init__(self, told: argparse.Namespace) -> None:
        self._session = told.session
        self._rest = Rest()
        self._patience = options.patience(told)
        self._meter = Meter(self._patience)
        self._kept = ""
        self._component = Component(words.METER, role="observer", stay=True)
        self._component.on(words.KLINES)(self._on_kline)
        self._component.on(words.BOOK)(self._on_book)
        self._component.on(words.POSITIONS)(self._on_position)

    async def run(self) -> None:
        """Follow the session until it lets the component go."""
        await self._component.serve()

    async def _on_book(self, record: Record) -> None:
        await self._say(self._meter.take_book(record.data))

    async def _on_position(self, record: Record) -> None:
        await self._say(self._meter.take_position(record.data))

    async def _on_kline(self, record: Record) -> None:
        if market.begins(record.data):
            known = self._meter.books, self._meter.positions
            self._meter = Meter(self._patience, *known)
        await self._say(self._meter.take_kline(record.data))

    async def _say(self, said: Sequence[Said]) -> None:
        for topic, data in said:
            await self._component.publish(topic, data)
            if topic == words.RISK and data["position"] != self._kept:
                self._kept = data["position"]
                await self._keep(data)

    async def _keep(self, risk: dict[str, Any]) -> None:
        content = json.dumps(risk, indent=2).encode()
        try:
            await asyncio.to_thread(self._rest.write_file, self._session, FILE, content)
        except (Refused, OSError) as error:
            # The file is a courtesy; the topic has it all.
            print(f"{FILE} was not written: {error}", flush=True)  # noqa: T201 -- its log


if __name__ == "__main__":
    asyncio.run(Observer(options.parser(__doc__ or "").parse_args()).run())
