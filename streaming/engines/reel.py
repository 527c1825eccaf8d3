"""What the tape has of one log, and whether this process may write more."""

import asyncio
from typing import Protocol

import msgspec

from aegis_project.kit.errors import ServiceUnavailable
from streaming.core import position
from streaming.engines.base import Key, Slice
from streaming.engines.tape import Group, Tape, Taped

MAX_BEHIND = 50_000
"""How many records a log may be ahead of its tape; then nobody appends until it has caught up."""
MAX_BEHIND_BYTES = 64 * 1024 * 1024
TRIES = 3


class Recorded(Protocol):
    """A log that is recorded."""

    key: Key
    start: int

    @property
    def epoch(self) -> str:
        """The epoch it is in."""

    @property
    def head(self) -> int:
        """Its last seq."""

    async def match(self, seq: int) -> bytes | None:
        """The chain value at ``seq``."""

    async def read(self, after: int, *, limit: int, max_bytes: int) -> Slice | None:
        """The records behind ``after``."""

    def begin(self) -> Taped:
        """Where a tape of what the log holds begins."""

    def restore(self, taped: Taped) -> None:
        """Be what the tape holds, and nothing else."""

    def unrecord(self) -> None:
        """Be on no tape any more."""


class Reel:
    """
    The tape of one log; ``taped`` is how far it is.

    It is claimed when something is to be written, not by reading: any process may read.
    """

    __slots__ = ("_claiming", "_log", "_tape", "is_owned", "taped")

    def __init__(self, log: Recorded, *, tape: Tape, taped: Taped) -> None:
        self.taped = taped
        self.is_owned = False
        self._log = log
        self._tape = tape
        self._claiming = asyncio.Lock()

    @property
    def is_behind(self) -> bool:
        """Whether the log has records that are not on the tape."""
        return self._log.head > self.taped.head

    # Writing

    async def admit(self, size: int) -> None:
        """
        Let something be appended to the log that holds ``size`` bytes in memory.

        :raises ServiceUnavailable: while another process records it, or the tape is too far behind
        """
        if not self.is_owned:
            await self.own()
        if self._log.head - self.taped.head >= MAX_BEHIND or (
            size >= MAX_BEHIND_BYTES and self.is_behind
        ):
            raise ServiceUnavailable("The tape of the topic is behind.", topic=self._log.key[1])

    async def own(self) -> None:
        """
        Claim the tape for this process.

        :raises ServiceUnavailable: while another process holds it
        """
        async with self._claiming:
            for _ in range(TRIES):
                if not self.is_owned:
                    await self._claim()
        if not self.is_owned:
            raise ServiceUnavailable("The tape of the topic moves.", topic=self._log.key[1])

    async def _claim(self) -> None:
        log, fence = self._log, self.taped.fence
        claimed = await self._tape.claim(log.key, msgspec.structs.replace(log.begin(), fence=fence))
        if claimed is None:
            self.look(await self._tape.find(log.key))
        elif await self._follows(claimed):
            self.taped, self.is_owned = claimed, True
            log.start = claimed.start
        else:
            self._restore(claimed)
            self.is_owned = True

    async def _follows(self, taped: Taped) -> bool:
        log = self._log
        return taped.epoch == log.epoch and await log.match(taped.head) == taped.ck

    def look(self, taped: Taped) -> None:
        """Go by what is on the tape, unless the log has begun without it."""
        begin = self._log.begin()
        if taped.epoch and (taped.epoch == self._log.epoch or begin.head == self._log.head):
            self._restore(taped)
        else:
            self.taped = msgspec.structs.replace(begin, fence=taped.fence)

    def _restore(self, taped: Taped) -> None:
        self.taped = taped
        self.is_owned = False
        if taped.epoch:
            self._log.restore(taped)

    def begin_anew(self) -> None:
        """Take the tape up again from what the log holds: it has another epoch."""
        self.is_owned = False
        self.taped = msgspec.structs.replace(self._log.begin(), fence=self.taped.fence)

    async def take(self, *, limit: int, max_bytes: int) -> Group | None:
        """What goes to the tape next, with a chain that was computed again."""
        before = self.taped
        cut = await self._log.read(before.head, limit=limit, max_bytes=max_bytes)
        if cut is None or cut.first != before.head + 1 or before is not self.taped:
            return None
        ck, cks = before.ck, []
        for seq, data in enumerate(cut.data, cut.first):
            ck = position.chain(ck, seq, data)
            cks.append(ck)
        return Group(before, cut.ts, cut.data, cks) if ck == cut.ck else None

    async def wrote(self, taped: Taped) -> None:
        """Go by how far the tape is after a writing; another writer's goes before the log."""
        if taped.fence == self.taped.fence and await self._follows(taped):
            self.taped = taped
            self._log.start = taped.start
        else:
            self._restore(taped)

    def cut(self, start: int) -> None:
        """Read nothing before ``start`` any more: it leaves the tape."""
        if start > self.taped.start:
            self.taped = msgspec.structs.replace(self.taped, start=start)
            self._log.start = start

    async def release(self, *, is_recorded: bool) -> None:
        """Let another process take the tape."""
        if self.is_owned:
            self.is_owned = False
            await self._tape.release(self.taped, is_recorded=is_recorded)

    async def leave(self) -> None:
        """Record the log no more; what is on the tape stays there."""
        await self.release(is_recorded=False)
        self._log.unrecord()

    # Reading

    async def read(self, first: int, *, limit: int, max_bytes: int) -> Slice | None:
        """Records from ``first`` on that are on the tape."""
        return await self._tape.read(self.taped, first, limit=limit, max_bytes=max_bytes)

    async def match(self, seq: int) -> bytes | None:
        """The chain value at a place that is on the tape."""
        found = await self._tape.ck(self.taped, seq)
        return found or (position.genesis(self._log.key[1], self.taped.epoch) if not seq else None)

    async def seq_at(self, ts: int) -> int | None:
        """The first record on the tape at or after a time (unix ms)."""
        return await self._tape.seq_at(self.taped, ts)
