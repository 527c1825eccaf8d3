"""Logs that are rows of the database: a session's ledger and its runs, read here and never written."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from django.db.models import Q, QuerySet

from aegis_project.database import read_db
from aegis_project.prepared import Prepared, padded
from streaming import models
from streaming.core import position, topics
from streaming.engines.base import FRAME_BYTES, FRAME_RECORDS, Engine, Key, Log, Slice

UNIX = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LAST = 253_402_300_799_000
"""The end of the year 9999, after which no event has a time (unix ms)."""

Row = tuple[int, str, Any, Any]
"""seq, ck, ts (a datetime in events, unix ms in records) and the JSON text."""


class RowLog(Log):
    """
    One log of rows; the Log row is its head, moved by whoever writes, in whatever process.

    Rows are committed before they can be seen here, so what is delivered is never taken back.
    """

    __slots__ = ("__weakref__", "_before", "_id")

    def __init__(self, row: models.Log) -> None:
        self.key = (str(row.session_id), row.name)
        self._id = row.pk
        # The head before the last move: the hub asks for it at each one.
        self._before = (-1, b"")
        self.epoch, self.head = "", -1
        self.adopt(row.epoch, row.start, row.head, row.ck)

    def adopt(self, epoch: str, start: int, head: int, ck: str) -> bool:
        """Take over what the Log row says now, and say whether it moved."""
        if self.head == head and self.epoch == epoch and self.start == start:
            return False
        if self.epoch == epoch:
            self._before = (self.head, self.ck)
        self.epoch, self.start, self.head, self.ck = epoch, start, head, bytes.fromhex(ck)
        return True

    async def read(
        self,
        after: int,
        *,
        limit: int = FRAME_RECORDS,
        max_bytes: int = FRAME_BYTES,
        below_n: int | None = None,
    ) -> Slice | None:
        first = max(after + 1, self.start)
        if first > self.head:
            return None
        rows = await read_db(self._rows, first, min(self.head, first + limit - 1))
        if rows and rows[0][0] != first:
            # Its beginning was let go; the next look at the head says where it starts.
            return None
        return cut(rows, max_bytes)

    async def match(self, seq: int) -> bytes | None:
        if seq == self.head:
            return self.ck
        if seq == self._before[0]:
            return self._before[1]
        if not self.start - 1 <= seq < self.head:
            return None
        if seq == 0:
            return position.genesis(self.key[1], self.epoch)
        return await read_db(self._ck, seq)

    async def seq_at(self, ts: int) -> int:
        return await read_db(self._seq_at, ts) or self.head + 1

    async def refresh(self) -> bool:
        return self.adopt(*await read_db(self._head))

    # Queries, in a thread

    @property
    def _is_ledger(self) -> bool:
        return self.key[1] == topics.LEDGER

    def _items(self) -> QuerySet[Any]:
        if self._is_ledger:
            return models.Event.objects.filter(log=self._id)
        return models.Record.objects.filter(log=self._id, epoch=self.epoch)

    def _rows(self, first: int, last: int) -> list[Row]:
        if self._is_ledger:
            return _events(log=self._id, first=first, last=last)
        return _records(log=self._id, epoch=self.epoch, first=first, last=last)

    def _ck(self, seq: int) -> bytes | None:
        ck = self._items().filter(seq=seq).values_list("ck", flat=True).first()
        return bytes.fromhex(ck) if ck else None

    def _seq_at(self, ts: int) -> int | None:
        moment = UNIX + min(ts, LAST) * MILLISECOND if self._is_ledger else ts
        later = self._items().filter(ts__gte=moment, seq__gte=self.start).order_by("seq")
        return later.values_list("seq", flat=True).first()

    def _head(self) -> tuple[str, int, int, str]:
        for head in _head_of(pk=self._id):
            return head
        raise models.Log.DoesNotExist(str(self._id))


@Prepared
def _events(log: int, first: int, last: int) -> QuerySet[models.Event, Row]:
    rows = models.Event.objects.filter(log=log, seq__gte=first, seq__lte=last)
    return rows.order_by("seq").values_list("seq", "ck", "ts", "body")


@Prepared
def _records(log: int, epoch: str, first: int, last: int) -> QuerySet[models.Record, Row]:
    rows = models.Record.objects.filter(log=log, epoch=epoch, seq__gte=first, seq__lte=last)
    return rows.order_by("seq").values_list("seq", "ck", "ts", "body")


@Prepared
def _head_of(pk: int) -> QuerySet[models.Log, tuple[str, int, int, str]]:
    return models.Log.objects.filter(pk=pk).values_list("epoch", "start", "head", "ck")


def cut(rows: list[Row], max_bytes: int) -> Slice | None:
    """Make a slice of consecutive rows, at least one and at most ``max_bytes`` of data."""
    ts: list[int] = []
    data: list[bytes] = []
    size, last = 0, ""
    for _, ck, moment, body in rows:
        text = body.encode() if isinstance(body, str) else bytes(body)
        size += len(text)
        if size > max_bytes and data:
            break
        ts.append(moment if isinstance(moment, int) else (moment - UNIX) // MILLISECOND)
        data.append(text)
        last = ck
    return Slice(rows[0][0], ts, data, bytes.fromhex(last)) if data else None


class RowEngine(Engine):
    """
    The ledgers and run logs of all sessions, refreshed from their heads.

    A hint brings the next look forward; without one it comes after the time that ``wait`` is
    given. Logs that nobody holds any more are let go.
    """

    is_shared = True

    def __init__(self) -> None:
        self._logs: WeakValueDictionary[Key, RowLog] = WeakValueDictionary()
        self._names: dict[str, set[str]] = {}
        self._newest: dict[str, int] = {}
        self._hinted = asyncio.Event()

    async def open(self, key: Key) -> RowLog | None:
        if not topics.is_row(key[1]) or not _is_uuid(key[0]):
            return None
        found = self._logs.get(key)
        if found is not None:
            return found
        row = await read_db(_find, key)
        # Another call may have been first while this one waited.
        return self._logs.get(key) or (self._hold(row) if row else None)

    def names(self, session_id: str) -> Collection[str]:
        return tuple(self._names.get(session_id, ()))

    def hear(self, session_id: str) -> None:
        self._hinted.set()

    async def wait(self, keys: Collection[Key], timeout_seconds: float) -> set[Key]:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._hinted.wait()
        except TimeoutError:
            pass
        self._hinted.clear()
        # Only now, because the caller may have opened more in the meantime.
        keys = tuple(keys)
        if not keys:
            return set()
        wide = {session for session, name in keys if not name}
        newest = {session: self._newest.get(session, 0) for session in wide}
        heads, newer = await read_db(_look, keys, newest)
        moved = {key for row in heads if self._adopt(key := _key(row), row)}
        moved.update(self._discover(row) for row in newer)
        return moved

    async def forget(self, session_id: str) -> None:
        self._names.pop(session_id, None)
        self._newest.pop(session_id, None)

    def _hold(self, row: models.Log) -> RowLog:
        log = RowLog(row)
        return self._logs.setdefault(log.key, log)

    def _adopt(self, key: Key, row: models.Log) -> bool:
        log = self._logs.get(key)
        return log is not None and log.adopt(row.epoch, row.start, row.head, row.ck)

    def _discover(self, row: models.Log) -> Key:
        session_id, name = key = _key(row)
        self._names.setdefault(session_id, set()).add(name)
        self._newest[session_id] = max(row.pk, self._newest.get(session_id, 0))
        return key


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _key(row: models.Log) -> Key:
    return (str(row.session_id), row.name)


def _find(key: Key) -> models.Log | None:
    return next(iter(_named(sessions=(UUID(key[0]),), names=(key[1],))), None)


def _look(
    keys: Collection[Key], newest: dict[str, int]
) -> tuple[list[models.Log], list[models.Log]]:
    return _heads(keys), _newer(newest)


def _heads(keys: Collection[Key]) -> list[models.Log]:
    # Wider than asked (every session with every name), and one query.
    sessions = {session for session, name in keys if name}
    names = {name for _, name in keys if name}
    return _named(sessions=padded(map(UUID, sessions)), names=padded(names))


_named = Prepared(
    lambda sessions, names: models.Log.objects.filter(session_id__in=sessions, name__in=names)
)


def _newer(newest: dict[str, int]) -> list[models.Log]:
    wanted = Q()
    for session_id, pk in newest.items():
        wanted |= Q(session_id=session_id, pk__gt=pk)
    is_row = Q(name=topics.LEDGER) | Q(name__startswith="runs.")
    return list(models.Log.objects.filter(wanted, is_row)) if newest else []
