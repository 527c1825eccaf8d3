"""Logs in a Valkey or Redis that many processes share."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Collection, Iterable
from uuid import uuid4
from weakref import WeakValueDictionary

from streaming.core import topics
from streaming.core.errors import StoreDown
from streaming.core.rules import Keep, Rules
from streaming.engines import valkey_scripts as scripts
from streaming.engines.base import Engine, Key
from streaming.engines.recording import Recorder
from streaming.engines.retention import Retention
from streaming.engines.rulebook import RuleBook
from streaming.engines.valkey_link import Link
from streaming.engines.valkey_log import ValkeyLog
from streaming.engines.valkey_recording import Recordings

POLL_SECONDS = 1.0
RECENT_SECONDS = 10.0


class ValkeyEngine(Engine):
    """
    One stream per topic, appended to by whichever process somebody publishes at.

    That a topic moved is announced to the processes that have its session open; an announcement
    that is lost costs a second, because each session is also asked by the clock what moved in it.
    While the store is away, what is mirrored here is still read and nothing can be appended. All
    mirrors of the process stay within the total bytes of its retention.
    """

    is_shared = True

    def __init__(
        self,
        url: str,
        *,
        retention: Retention | None = None,
        rules: RuleBook | None = None,
        recorder: Recorder | None = None,
        mint: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self.retention = retention or Retention()
        self.rules = rules or RuleBook()
        self.rules.listen(self._rule)
        self.mint = mint
        self.who = uuid4().hex[:12]
        self._recordings = Recordings(recorder, mint=mint) if recorder else None
        self.link = Link(url, check=self._check, told=self._told)
        self._logs: WeakValueDictionary[Key, ValkeyLog] = WeakValueDictionary()
        self._names: dict[str, set[str]] = {}
        # Topics of wide sessions that nobody who waits was told of yet.
        self._fresh: dict[str, set[str]] = {}
        # The count of moves up to which a session's topics are known.
        self._moves: dict[str, int] = {}
        self._sessions: dict[bytes, str] = {}
        # When a session was last asked about, so that it is listened to before it has logs here.
        self._asked_at: dict[str, float] = {}
        # Said to have moved, and found to have moved.
        self._dirty: set[Key] = set()
        self._moved: set[Key] = set()
        self._woken = asyncio.Event()
        self._poll_at = 0.0

    @property
    def most_topics(self) -> int:
        """So many topics may a session have."""
        return self.retention.max_topics

    @property
    def away_since(self) -> float | None:
        return self.link.lost_at

    async def open(self, key: Key) -> ValkeyLog | None:
        session_id, name = key
        found = self._logs.get(key)
        if found is not None or topics.is_row(name):
            return found
        rules = await self.rules.of(session_id)
        await self._ask_about(session_id)
        log = ValkeyLog(key, store=self, keep=self._keep_of(name, rules))
        await log.open()
        self._names.setdefault(session_id, set()).add(name)
        # Another call may have been first while the store was asked.
        log = self._logs.setdefault(key, log)
        if self._recordings is not None:
            await self._recordings.open(log, rules.of(name))
        return log

    def names(self, session_id: str) -> Collection[str]:
        return tuple(self._names.get(session_id, ()))

    async def meet(self, session_id: str) -> None:
        await self._ask_about(session_id)
        await self._discover(session_id)

    async def wait(self, keys: Collection[Key], timeout_seconds: float) -> set[Key]:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_seconds
        if timeout_seconds <= 0:
            # Nobody waits: what moved is left to those who do.
            return set()
        while not (moved := await self._look_round(keys)) and loop.time() < ends_at:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(ends_at, self._poll_at)):
                    await self._woken.wait()
        return moved

    async def forget(self, session_id: str) -> None:
        if self._recordings is not None:
            await self._recordings.forget(session_id)
        for key in [key for key in self._logs if key[0] == session_id]:
            self._logs.pop(key, None)
        self._names.pop(session_id, None)
        self._fresh.pop(session_id, None)
        self._moves.pop(session_id, None)
        self._asked_at.pop(session_id, None)
        await self.link.ready()
        names = await self.link.send("ZRANGE", scripts.session_key(session_id, "n"), 0, -1)
        keys = {key for name in names for key in scripts.log_keys((session_id, name.decode()))}
        if keys:
            await self.link.send("UNLINK", *keys)

    async def close(self) -> None:
        await self.link.close()

    def note(self, log: ValkeyLog) -> None:
        """Tell whoever waits that the log is not as it was."""
        self._moved.add(log.key)
        self._woken.set()
        self.record(log, is_own=False)

    def record(self, log: ValkeyLog, *, is_own: bool) -> None:
        """Write what the log gained to its tape, if it has one."""
        if self._recordings is not None:
            self._recordings.moved(log, is_own=is_own)

    # What moved

    async def _look_round(self, keys: Collection[Key]) -> set[Key]:
        self._woken.clear()
        # Where the store is away there is nothing to be learned, and nobody to be told so.
        with contextlib.suppress(StoreDown):
            if asyncio.get_running_loop().time() >= self._poll_at:
                await self._poll(keys)
            await self._catch_up()
        moved, self._moved = self._moved, set()
        for session_id in [one for one in self._fresh if (one, "") in keys]:
            moved |= {(session_id, name) for name in self._fresh.pop(session_id)}
        return moved

    async def _catch_up(self) -> None:
        dirty, self._dirty = self._dirty, set()
        logs = [log for key in dirty if (log := self._logs.get(key)) is not None]
        try:
            await asyncio.gather(*(log.catch_up() for log in logs))
        except StoreDown:
            self._dirty |= dirty
            raise

    async def _poll(self, keys: Iterable[Key]) -> None:
        now = asyncio.get_running_loop().time()
        self._poll_at = now + POLL_SECONDS
        logs = list(self._logs.values())
        recent = {one: at for one, at in self._asked_at.items() if now - at < RECENT_SECONDS}
        self._asked_at = recent
        sessions = {key[0] for key in keys} | {log.key[0] for log in logs} | recent.keys()
        self._sessions = {scripts.channel(one).encode(): one for one in sessions}
        self.link.ears.tune([name.decode() for name in self._sessions])
        self._dirty |= {log.key for log in logs if log.trim_at <= now}
        self._lighten(logs)
        await self._discover_all(sessions)

    def _lighten(self, logs: Iterable[ValkeyLog]) -> None:
        # What is not mirrored is read from the store; the largest give up theirs first.
        held = sum(log.mirror.bytes for log in logs)
        for log in sorted(logs, key=lambda log: log.mirror.bytes, reverse=True):
            if held <= self.retention.total_bytes:
                return
            held -= log.mirror.bytes
            log.mirror.clear()

    async def _discover_all(self, session_ids: Collection[str]) -> None:
        await asyncio.gather(*(self._discover(one) for one in session_ids))

    async def _discover(self, session_id: str) -> None:
        since = self._moves.get(session_id, 0)
        keys = [scripts.session_key(session_id, name) for name in "nv"]
        count, names = await self.link.run(scripts.MOVED, keys, since)
        self._moves[session_id] = int(count)
        for name in names:
            self._hint(session_id, name.decode())
        if int(count) < since:
            # The store is not the one that counted before.
            self._dirty |= {key for key in self._logs if key[0] == session_id}

    async def _ask_about(self, session_id: str) -> None:
        self._asked_at[session_id] = asyncio.get_running_loop().time()
        channel = scripts.channel(session_id)
        self._sessions[channel.encode()] = session_id
        await self.link.listen(channel)

    def _told(self, channel: bytes, message: bytes) -> None:
        who, _, name = message.partition(b" ")
        session_id = self._sessions.get(channel)
        if session_id is not None and who != self.who.encode():
            self._hint(session_id, name.decode())
            self._woken.set()

    def _hint(self, session_id: str, name: str) -> None:
        known = self._names.setdefault(session_id, set())
        if name not in known:
            known.add(name)
            self._fresh.setdefault(session_id, set()).add(name)
        self._dirty.add((session_id, name))

    async def _check(self) -> None:
        self._moves.clear()
        await asyncio.gather(*(log.check() for log in list(self._logs.values())))

    # What is kept

    def _keep_of(self, name: str, rules: Rules) -> Keep:
        return rules.of(name).keep or self.retention.default

    def _rule(self, session_id: str, rules: Rules) -> None:
        for key, log in list(self._logs.items()):
            if key[0] == session_id:
                log.keep = self._keep_of(key[1], rules)
                if self._recordings is not None:
                    self._recordings.apply(log, rules.of(key[1]))
                # The store learns of it with the next look.
                self._dirty.add(key)
