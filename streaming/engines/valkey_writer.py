"""Appending to a log in Valkey: whoever appends in the same moment goes with the same call."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from streaming.core import position
from streaming.core.errors import StoreDown
from streaming.core.position import Position
from streaming.engines import valkey_scripts as scripts
from streaming.engines.base import Producer, Record
from streaming.engines.valkey_link import Link, Word

if TYPE_CHECKING:
    from streaming.engines.valkey_log import ValkeyLog

GROUP_RECORDS, GROUP_BYTES = 512, 1024 * 1024
TRIES = 200
"""Each failed try means that another writer went first; nobody is so unlucky for so long."""


class Store(Protocol):
    """The engine as writers know it."""

    link: Link
    mint: Callable[[], str]


@dataclass(eq=False, slots=True)
class Order:
    """What somebody wants appended, and the future that gets the position of its last record."""

    records: Sequence[Record]
    mark: str
    done: asyncio.Future[Position] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def resolve(self, where: Position) -> None:
        """Tell where the last record stands."""
        if not self.done.done():
            self.done.set_result(where)

    def fail(self, error: Exception) -> None:
        """Tell that it was not appended, as far as one can know."""
        if not self.done.done():
            self.done.set_exception(error)


class Writer:
    """
    The only one in this process who appends to a log.

    Chain values are worked out here; the store compares what the log ended with and appends all
    or nothing. When another process was first, its records are taken over and the chain is worked
    out again. When the store was lost before it answered, the chain tells whether it had appended.
    """

    __slots__ = ("_log", "_marked", "_orders", "_store", "_task")

    def __init__(self, log: "ValkeyLog", store: Store) -> None:
        self._log = log
        self._store = store
        self._orders: list[Order] = []
        self._marked: dict[str, Order] = {}
        self._task: asyncio.Task[None] | None = None

    async def append(self, records: Sequence[Record], producer: Producer | None) -> Position:
        """
        Append, and give the position of the last record; of the first time, when this is a retry.

        :raises StoreDown: when there is no store; it may still have appended before it was lost
        """
        mark = " ".join(map(str, producer)) if producer else ""
        order = self._marked.get(mark)
        if order is None:
            order = Order(records, mark)
            self._orders.append(order)
            if mark:
                self._marked[mark] = order
        if self._task is None:
            # It runs when this turn of the loop is over, and so takes all that it brings.
            self._task = asyncio.create_task(self._write())
        return await asyncio.shield(order.done)

    async def _write(self) -> None:
        try:
            while self._orders:
                group = _first(self._orders)
                del self._orders[: len(group)]
                try:
                    await self._commit(group)
                except Exception as error:  # noqa: BLE001 -- it belongs to those who wait
                    for order in group:
                        order.fail(error)
                for order in group:
                    self._marked.pop(order.mark, None)
        finally:
            self._task = None

    async def _commit(self, group: list[Order]) -> None:
        for _ in range(TRIES):
            if not group or await self._try(group):
                return
        raise StoreDown

    async def _try(self, group: list[Order]) -> bool:
        """Try once; what was appended before is answered, and leaves the group."""
        log = self._log
        records = [record for order in group for record in order.records]
        cks, ends = _chain(log.ck, log.head, records), _ends(group, log.head)
        before, last = (log.epoch, log.head, log.ck), log.head + len(records)
        marks = [(order.mark, end) for order, end in zip(group, ends, strict=True) if order.mark]
        link, losses = self._store.link, self._store.link.losses
        try:
            answer = await self._run(before, marks, records, cks)
        except StoreDown:
            if link.losses == losses:
                raise
            # In a moment it may be there again, and its logs compared.
            await link.ready()
            if await log.match(last) != cks[-1]:
                return False
            answer = [1]
        if answer[0] == 0:
            await log.catch_up()
            return False
        if answer[0] == 2:
            _answer_known(group, log.epoch, answer[1:])
            return False
        if len(answer) > 1:
            _, start, anchor, due = answer
            log.appended(records, cks, start=int(start), anchor=anchor, due=float(due))
        for order, end in zip(group, ends, strict=True):
            order.resolve(Position(log.epoch, end, cks[end - before[1] - 1]))
        return True

    async def _run(
        self,
        before: tuple[str, int, bytes],
        marks: Sequence[tuple[str, int]],
        records: Sequence[Record],
        cks: Sequence[bytes],
    ) -> list[Any]:
        keep = self._log.keep
        words: list[Word] = [*before, *self._log.address]
        words += (keep.records, keep.bytes, str(keep.age_seconds), len(marks))
        for mark in marks:
            words += mark
        for (ts, data), ck in zip(records, cks, strict=True):
            words += (ts, data, ck)
        answer: list[Any] = await self._store.link.run(scripts.APPEND, self._log.keys, *words)
        return answer


def _first(orders: Sequence[Order]) -> list[Order]:
    """As many of the first as one call should take, and at least one."""
    records = size = 0
    for count, order in enumerate(orders):
        records += len(order.records)
        size += sum(len(data) for _, data in order.records)
        if count and (records > GROUP_RECORDS or size > GROUP_BYTES):
            return list(orders[:count])
    return list(orders)


def _chain(ck: bytes, head: int, records: Sequence[Record]) -> list[bytes]:
    cks = []
    for seq, (_, data) in enumerate(records, head + 1):
        ck = position.chain(ck, seq, data)
        cks.append(ck)
    return cks


def _ends(group: Sequence[Order], head: int) -> list[int]:
    ends = []
    for order in group:
        head += len(order.records)
        ends.append(head)
    return ends


def _answer_known(group: list[Order], epoch: str, known: Sequence[bytes]) -> None:
    where = {
        mark.decode(): Position(epoch, int(seq), ck)
        for mark, seq, ck in zip(known[::3], known[1::3], known[2::3], strict=True)
    }
    for order in tuple(group):
        if order.mark in where:
            order.resolve(where[order.mark])
            group.remove(order)
