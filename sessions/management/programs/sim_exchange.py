"""The exchange of the demo: one component publishes klines, another the order book."""

import argparse
import asyncio
from typing import Any

from aegis_project.kit.errors import AegisError
from components.sdk import Component, Record, Standing
from sessions.core.flash_dip import words
from sessions.core.flash_dip.market import RESUME_AFTER, TICKS_A_SECOND, Market, Tick
from sessions.management.programs import options
from sessions.management.programs.rest import Refused, Rest

FOLLOWERS = {words.STRATEGY, words.METER}
OPENING_SECONDS, LOOK_SECONDS = 5.0, 0.05


class Exchange:
    """Plays the market of the story once for each start of its session."""

    def __init__(self, told: argparse.Namespace) -> None:
        self._told = told
        self._market = Market(told.seed)
        self._component = Component(words.EXCHANGE, role="feed", stay=True)
        self._component.on(words.INCIDENTS)(self._on_incident)
        self._component.on(Standing)(self._on_standing)
        self._book: Component | None = None
        self._rest = Rest()
        self._was_stopped = False
        self._outcome = ""

    def _on_incident(self, record: Record) -> None:
        if record.data["phase"] == words.DECIDED:
            self._outcome = record.data["outcome"]
            self._market.resume(after_seconds=RESUME_AFTER)
        elif record.data["phase"] == words.RESTARTED:
            self._outcome = words.RESTARTED
            self._market.resume(after_seconds=0)

    def _on_standing(self, standing: Standing) -> None:
        self._was_stopped = self._was_stopped or standing.session == "stopped"

    async def run(self) -> None:
        """Publish a tick after the other while the session runs."""
        loop = asyncio.get_running_loop()
        period = 1 / (TICKS_A_SECOND * self._told.speed)
        listening = asyncio.create_task(self._component.serve())
        due, is_open = loop.time(), False
        try:
            while await self._component.running():
                if self._was_stopped:
                    self._was_stopped, self._market = False, Market(self._told.seed)
                    is_open = False
                if not is_open:
                    await self._open()
                    is_open, due = True, loop.time()
                await self._say(self._market.tick())
                # After a pause the market goes on where it stood, it does not hurry.
                due = max(due + period, loop.time() - 1)
                await asyncio.sleep(max(0.0, due - loop.time()))
            await listening
        finally:
            listening.cancel()
            await self._leave()

    async def _open(self) -> None:
        """Wait until those who follow the market from its first tick are there, but not for long."""
        for _ in range(round(OPENING_SECONDS / LOOK_SECONDS)):
            if await asyncio.to_thread(self._is_attended):
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _is_attended(self) -> bool:
        try:
            found = self._rest.ask("GET", "sessions", self._told.session, "components")["data"]
        except (Refused, OSError):
            return False
        return {one["name"] for one in found if one["state"] == "running"} >= FOLLOWERS

    async def _say(self, tick: Tick) -> None:
        await self._link(is_wanted=tick.has_link)
        # The book is there before the kline that rests on it.
        if tick.book is not None and self._book is not None:
            await self._put(self._book, words.BOOK, tick.book)
        if tick.kline is not None:
            await self._put(self._component, words.KLINES, tick.kline)
        if self._market.is_resuming:
            said = {"phase": words.RESUMED, "symbol": words.SYMBOL, "outcome": self._outcome}
            await self._component.publish(words.INCIDENTS, said)

    async def _put(self, component: Component, topic: str, data: dict[str, Any]) -> None:
        try:
            await component.append(topic, data)
        except AegisError as error:
            print(f"A record of {topic} is lost: {error}", flush=True)  # noqa: T201 -- its log

    async def _link(self, *, is_wanted: bool) -> None:
        """Let the feed of the book be there, or be missed."""
        if is_wanted and self._book is None:
            self._book = Component(
                words.BOOK_FEED, role="feed", component_id=self._told.companion, stay=True
            )
            await self._book.start()
        elif not is_wanted:
            await self._leave()

    async def _leave(self) -> None:
        if self._book is not None:
            book, self._book = self._book, None
            await book.close()


if __name__ == "__main__":
    asyncio.run(Exchange(options.parser(__doc__ or "").parse_args()).run())
