"""Listening to what a Valkey announces, on a connection of its own."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from redis.exceptions import RedisError

from streaming.core.errors import StoreDown

PROOF_SECONDS = 5.0
"""After so much silence the store is asked whether announcements can still come."""

Connection = Any
"""A connection of redis-py, which leaves much of it untyped."""

Told = Callable[[bytes, bytes], None]


class Ears:
    """
    The channels that are listened to, asked for anew on each connection.

    ``told`` hears (channel, message). Announcements are hints: what is lost while there is no
    connection is found by looking.
    """

    def __init__(self, told: Told) -> None:
        self._told = told
        # The channels that are wanted, each with whether the store has said that it listens.
        self._wanted: dict[str, asyncio.Event] = {}
        # What the store was told, with whom each was for: who comes back has to be told of again.
        self._asked: dict[str, asyncio.Event] = {}
        self._tuned = asyncio.Event()

    def tune(self, channels: Collection[str]) -> None:
        """Listen to these channels and no others."""
        if self._wanted.keys() != set(channels):
            self._wanted = {one: self._wanted.get(one) or asyncio.Event() for one in channels}
            self._tuned.set()

    async def listen(self, channel: str, *, timeout_seconds: float) -> None:
        """
        Listen to this channel too, from before this returns.

        :raises StoreDown: when the store does not say in time that it announces there
        """
        if channel not in self._wanted:
            self._wanted[channel] = asyncio.Event()
            self._tuned.set()
        ear = self._wanted[channel]
        if not ear.is_set():
            # Not asyncio.timeout: a call that was begun inline goes on in another task.
            waiting = asyncio.ensure_future(ear.wait())
            await asyncio.wait({waiting}, timeout=timeout_seconds)
            waiting.cancel()
        if not ear.is_set():
            raise StoreDown

    async def open(self, connection: Connection) -> None:
        """Ask for everything that is wanted, on a new connection."""
        self._asked = {}
        for ear in self._wanted.values():
            ear.clear()
        await self._ask(connection)
        while not all(ear.is_set() for name, ear in self._wanted.items() if name in self._asked):
            self._take(await connection.read_response())

    async def tell(self, connection: Connection) -> None:
        """Tell the store when other channels are wanted."""
        while True:
            await self._tuned.wait()
            await self._ask(connection)

    async def hear(self, connection: Connection) -> None:
        """Hand on what is announced."""
        is_proof_due = False
        while True:
            said = await connection.read_response(timeout=PROOF_SECONDS)
            if said is None and is_proof_due:
                raise RedisError("No announcement can come any more.")
            is_proof_due = said is None
            if is_proof_due:
                await connection.send_command("PING", check_health=False)
            else:
                self._take(said)

    async def _ask(self, connection: Connection) -> None:
        self._tuned.clear()
        wanted, asked = dict(self._wanted), self._asked
        self._asked = wanted
        new = [name for name, ear in wanted.items() if asked.get(name) is not ear]
        for verb, names in (("SUBSCRIBE", new), ("UNSUBSCRIBE", asked.keys() - wanted.keys())):
            if names:
                await connection.send_command(verb, *names, check_health=False)

    def _take(self, said: list[Any]) -> None:
        if said[0] == b"message":
            self._told(said[1], said[2])
        elif said[0] == b"subscribe" and (ear := self._wanted.get(said[1].decode())):
            ear.set()
