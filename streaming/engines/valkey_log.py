"""One log in Valkey, as this process knows it: its mirror first, the store for what that lacks."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from streaming.core import position
from streaming.core.errors import OverCapacity, StoreDown
from streaming.core.position import Position
from streaming.core.rules import Keep
from streaming.engines import valkey_scripts as scripts
from streaming.engines import valkey_seen
from streaming.engines.base import FRAME_BYTES, FRAME_RECORDS, Key, Log, Producer, Record, Slice
from streaming.engines.valkey_link import Link, Word
from streaming.engines.valkey_mirror import Mirror
from streaming.engines.valkey_seen import Seen
from streaming.engines.valkey_writer import Writer

CATCH_RECORDS, CATCH_BYTES = 1024, 1024 * 1024
KNOWN = 64

Asked = tuple[int, int, int]


class Store(Protocol):
    """The engine as its logs know it."""

    link: Link
    who: str
    mint: Callable[[], str]

    @property
    def most_topics(self) -> int:
        """So many topics may a session have."""

    def note(self, log: "ValkeyLog") -> None:
        """Somebody else moved the log."""

    def record(self, log: "ValkeyLog", *, is_own: bool) -> None:
        """The log moved, by this process or by another."""


class ValkeyLog(Log):
    """
    A stream in the store, whose newest records are mirrored here.

    What other processes append is taken over by :meth:`catch_up`. Whenever the store is asked, it
    also says its chain value at a place that is known here: when they differ, it has lost what it
    had said before, and the log begins a new epoch.
    """

    __slots__ = (
        "__weakref__",
        "_known",
        "_reads",
        "_store",
        "_writer",
        "anchor",
        "is_on_tape",
        "keep",
        "keys",
        "mirror",
        "trim_at",
    )

    def __init__(self, key: Key, *, store: Store, keep: Keep) -> None:
        self.key = key
        self.keys = scripts.log_keys(key)
        self.keep = keep
        self.epoch, self.start, self.head, self.ck = "", 1, 0, b""
        # The chain value before the first readable record.
        self.anchor = b""
        self.is_on_tape = False
        self.mirror = Mirror()
        self.trim_at = 0.0
        self._store = store
        self._writer = Writer(self, store)
        # Chain values at places where the mirror has nothing.
        self._known: dict[int, bytes] = {}
        self._reads: dict[Asked, asyncio.Task[Seen]] = {}

    async def append(self, records: Sequence[Record], producer: Producer | None = None) -> Position:
        return await self._writer.append(records, producer)

    async def read(
        self,
        after: int,
        *,
        limit: int = FRAME_RECORDS,
        max_bytes: int = FRAME_BYTES,
        below_n: int | None = None,
    ) -> Slice | None:
        after = max(after, self.start - 1)
        if after >= self.head:
            return None
        found = self.mirror.read(after, limit=limit, max_bytes=max_bytes)
        if found is None:
            seen = await self._fetch(after, limit, max_bytes)
            found = seen.cut(limit=limit, max_bytes=max_bytes)
        return found

    async def match(self, seq: int) -> bytes | None:
        if not self.start - 1 <= seq <= self.head:
            return None
        found = self._ck_here(seq)
        if found is not None:
            return found
        seen = await self._fetch(seq, 0, 0)
        return seen.at if seen.after == seq and seen.at else None

    async def seq_at(self, ts: int) -> int:
        after = self.start - 1
        for point in await self._store.link.send("ZRANGE", self.keys[2], 0, -1):
            seq, most = point.split(b":")
            if int(most) >= ts:
                break
            after = max(after, int(seq))
        while cut := await self.read(after, limit=CATCH_RECORDS, max_bytes=CATCH_BYTES):
            found = next((place for place, at in enumerate(cut.ts) if at >= ts), None)
            if found is not None:
                return cut.first + found
            after = cut.last
        return self.head + 1

    async def fence(self, expected: str, epoch: str) -> bool:
        return await self._fence(expected, epoch, self._store.link.run)

    async def refresh(self) -> bool:
        before = (self.start, self.position)
        # Away or not, what is here can be read.
        with contextlib.suppress(StoreDown):
            await self.catch_up()
        return (self.start, self.position) != before

    async def catch_up(self) -> None:
        """
        Take over what others appended.

        :raises StoreDown: when there is no store
        """
        await self._follow(self._store.link.run)

    async def check(self) -> None:
        """The same right after the store came back, before anything is served from it."""
        await self._follow(self._store.link.ask)

    async def open(self) -> None:
        """
        Find the log, or make it.

        :raises OverCapacity: when the session has too many topics
        """
        seen = await self._look(0, 0, 0, self._store.link.run)
        self._adopt(seen)

    @property
    def is_recorded(self) -> bool:
        return self.is_on_tape

    def appended(
        self,
        records: Sequence[Record],
        cks: Sequence[bytes],
        *,
        start: int,
        anchor: bytes,
        due: float,
    ) -> None:
        """Take over what this process itself has appended behind the head."""
        self.mirror.extend(
            self.head, self.ck, [ts for ts, _ in records], [data for _, data in records], cks
        )
        self.head, self.ck = self.head + len(records), cks[-1]
        self.start, self.anchor = start, anchor
        self._plan_trim(due)
        self._store.record(self, is_own=True)

    # Asking the store

    async def _follow(self, run: Callable[..., Any]) -> None:
        before = (self.start, self.position)
        is_broken = self._adopt(await self._look(self.head, CATCH_RECORDS, CATCH_BYTES, run))
        if is_broken and self.epoch == before[1].epoch:
            await self._fence(self.epoch, self._store.mint(), run)
        if (self.start, self.position) != before:
            self._store.note(self)

    async def _fetch(self, after: int, limit: int, max_bytes: int) -> Seen:
        # However many ask for the same, the store is asked once.
        asked = (after, limit, max_bytes)
        task = self._reads.get(asked)
        if task is None:
            task = self._reads[asked] = asyncio.create_task(self._take(asked))
            task.add_done_callback(lambda _: self._reads.pop(asked, None))
        return await asyncio.shield(task)

    async def _take(self, asked: Asked) -> Seen:
        seen = await self._look(*asked, self._store.link.run)
        before = (self.epoch, self.head)
        if self._adopt(seen) or before != (self.epoch, self.head):
            self._store.note(self)
        return seen

    async def _look(self, after: int, limit: int, max_bytes: int, run: Callable[..., Any]) -> Seen:
        epoch, name = self._store.mint(), self.key[1]
        words: tuple[Word, ...] = (
            *(after, limit, max_bytes, epoch, position.genesis(name, epoch)),
            *(self._store.most_topics, *self.address),
            *(self.keep.records, self.keep.bytes, str(self.keep.age_seconds)),
        )
        answer = await run(scripts.LOOK, self.keys, *words)
        if not answer:
            raise OverCapacity("The session has too many topics.", topic=name)
        return valkey_seen.read(answer)

    async def _fence(self, expected: str, epoch: str, run: Callable[..., Any]) -> bool:
        is_won = bool(await run(scripts.FENCE, self.keys, expected, epoch, *self.address))
        if is_won:
            self.epoch = epoch
            self._store.record(self, is_own=False)
        else:
            self._adopt(await self._look(self.head, 0, 0, run))
        return is_won

    @property
    def address(self) -> tuple[str, str, str]:
        """Topic, channel and who writes, as the scripts announce it."""
        return self.key[1], scripts.channel(self.key[0]), self._store.who

    # What is known

    def _adopt(self, seen: Seen) -> bool:
        """Take over what the store says; whether it took back what it had said before."""
        is_broken = self._is_broken(seen)
        if is_broken:
            self.mirror.clear()
            self._known.clear()
        elif seen.head > self.head and self.epoch:
            self._remember(self.head, self.ck)
        self.epoch, self.start, self.head, self.ck = seen.epoch, seen.start, seen.head, seen.ck
        self.anchor = seen.anchor
        if seen.at:
            self._remember(seen.after, seen.at)
        # Old records are not what many will ask for; they do not take the place of the newest.
        is_next = seen.after == self.mirror.last or seen.last == seen.head
        if seen.data and is_next and seen.last > self.mirror.last:
            self.mirror.extend(seen.after, seen.at, seen.ts, seen.data, seen.cks)
        self._plan_trim(seen.due)
        return is_broken

    def _is_broken(self, seen: Seen) -> bool:
        if not self.epoch:
            return False
        held = self._ck_here(seen.after)
        if seen.head < self.head or (held is not None and held != seen.at):
            return True
        return held is None and seen.epoch != self.epoch

    def _ck_here(self, seq: int) -> bytes | None:
        if seq == self.head:
            return self.ck
        return self.mirror.ck_at(seq) or self._known.get(seq)

    def _remember(self, seq: int, ck: bytes) -> None:
        self._known.pop(seq, None)
        self._known[seq] = ck
        if len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]

    def _plan_trim(self, due: float) -> None:
        self.trim_at = asyncio.get_running_loop().time() + due
