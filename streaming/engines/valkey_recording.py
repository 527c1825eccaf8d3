"""Recording logs that live in Valkey: one of the processes writes what all of them append."""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec

from aegis_project.kit.errors import ServiceUnavailable
from streaming.core.errors import StoreDown
from streaming.core.rules import Rule
from streaming.engines.base import Key, Slice
from streaming.engines.recording import Recorder
from streaming.engines.reel import Reel
from streaming.engines.tape import BLANK, Taped
from streaming.engines.valkey_log import ValkeyLog


class SharedReel(Reel):
    """The tape of a log that other processes write to and may be recording."""

    __slots__ = ()

    async def own(self) -> None:
        try:
            await super().own()
        except ServiceUnavailable:
            # Who writes it may have written everything; then there is nothing left to do here.
            taped = await self._tape.find(self._log.key)
            if taped.epoch == self._log.epoch:
                self.taped = taped
            raise


class Recording:
    """
    One log as its reel knows it.

    The store is the truth and the tape follows it: where they differ, or where the store has let
    go of what was not written yet, the log begins a new epoch, and with it a new tape.
    """

    def __init__(self, log: ValkeyLog, *, recorder: Recorder, mint: Callable[[], str]) -> None:
        self.log = log
        self.key: Key = log.key
        self.start = log.start
        self.reel = SharedReel(self, tape=recorder.tape, taped=BLANK)
        self._epoch = log.epoch
        self._recorder = recorder
        self._mint = mint
        self._comparing: asyncio.Task[None] | None = None

    @property
    def epoch(self) -> str:
        return self.log.epoch

    @property
    def head(self) -> int:
        return self.log.head

    async def match(self, seq: int) -> bytes | None:
        with contextlib.suppress(StoreDown):
            return await self.log.match(seq)
        return None

    async def read(self, after: int, *, limit: int, max_bytes: int) -> Slice | None:
        with contextlib.suppress(StoreDown):
            return await self.log.read(after, limit=limit, max_bytes=max_bytes)
        return None

    def begin(self) -> Taped:
        """Where a tape of what the store has begins, with nothing on it."""
        return Taped(self.log.epoch, self.log.start, self.log.start - 1, self.log.anchor)

    def restore(self, taped: Taped) -> None:
        """Compare with what the tape has; the log is never made to be that."""
        if self._comparing is None or self._comparing.done():
            self._comparing = asyncio.create_task(self._compare(taped))

    def unrecord(self) -> None:
        """Be on no tape any more."""
        self.log.is_on_tape = False

    async def open(self) -> None:
        """Find how far the tape is, and write what is missing if nobody else does."""
        self.log.is_on_tape = True
        taped = await self._recorder.tape.find(self.key)
        is_same = taped.epoch == self.epoch and await self.match(taped.head) == taped.ck
        begin = msgspec.structs.replace(self.begin(), fence=taped.fence)
        self.reel.taped = taped if is_same else begin
        if self.reel.is_behind:
            self._recorder.note(self.reel)

    def moved(self, *, is_own: bool) -> None:
        """Write what the log gained, if that is for this process to do."""
        if self._epoch != self.epoch:
            self._epoch = self.epoch
            self.reel.begin_anew()
        if self.reel.is_owned and self.reel.taped.head < self.log.start - 1:
            self.restore(self.reel.taped)
        if is_own or self.reel.is_owned:
            self._recorder.note(self.reel)

    async def release(self) -> None:
        """Let another process take the tape, which stays."""
        if self._comparing is not None:
            self._comparing.cancel()
        self._recorder.drop(self.reel)
        await self.reel.release(is_recorded=True)

    async def _compare(self, taped: Taped) -> None:
        if taped.epoch != self.epoch or await self.match(taped.head) == taped.ck:
            return
        with contextlib.suppress(StoreDown):
            await self.log.fence(taped.epoch, self._mint())


class Recordings:
    """The recorded logs of a process; they stay open, so that what others append is seen."""

    def __init__(self, recorder: Recorder, *, mint: Callable[[], str]) -> None:
        self._recorder = recorder
        self._mint = mint
        self._held: dict[Key, Recording] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, log: ValkeyLog, rule: Rule) -> None:
        """Record a log that was just opened, if its rule says so."""
        if rule.recorded and log.key not in self._held:
            made = Recording(log, recorder=self._recorder, mint=self._mint)
            self._held[log.key] = made
            await made.open()

    def apply(self, log: ValkeyLog, rule: Rule) -> None:
        """Record a log from now on, or no longer once the tape has caught up with it."""
        held = self._held.get(log.key)
        if held is None and rule.recorded:
            task = asyncio.create_task(self.open(log, rule))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif held is not None:
            self._recorder.leave(held.reel, is_leaving=not rule.recorded)

    def moved(self, log: ValkeyLog, *, is_own: bool) -> None:
        """Take notice that a log moved."""
        held = self._held.get(log.key)
        if held is not None and log.is_on_tape:
            held.moved(is_own=is_own)
        elif held is not None:
            # It was recorded, and is no more.
            del self._held[log.key]

    async def forget(self, session_id: str) -> None:
        """Write what is left of a session, and let its tapes go."""
        await self._recorder.flush()
        for key in [key for key in self._held if key[0] == session_id]:
            await self._held.pop(key).release()
