"""One topic as the hub holds it: its log, who is subscribed, and what was counted."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from streaming.core import position
from streaming.core.position import Position
from streaming.engines.base import FRAME_RECORDS, Engine, Log, Slice
from streaming.hub import inline
from streaming.hub.packs import Pack, Shelf
from streaming.hub.subscription import Ending, Subscription

TRAIL = 64
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """
    What happened in this process since the line was opened.

    ``dropped`` counts records that subscribers were told missing; ``last_ts`` is the time of the
    last record published here (unix ms), 0 when there was none.
    """

    published: int = 0
    bytes: int = 0
    deliveries: int = 0
    gaps: int = 0
    dropped: int = 0
    last_ts: int = 0


class Line:
    """
    A log and its subscriptions; ``alias`` is the number that frames name it by.

    ``head`` is where the log was seen to end: nothing beyond it is delivered, so that whatever
    was delivered can be compared with the log again before more is. ``is_doubted`` says that
    something did not follow on what a subscriber has.
    """

    __slots__ = (
        "_fetching",
        "_on_fetched",
        "_shelf",
        "alias",
        "counters",
        "ending",
        "engine",
        "head",
        "is_doubted",
        "is_marked",
        "is_turning",
        "key",
        "listeners",
        "log",
        "packs",
        "subscriptions",
        "topic",
        "trail",
        "used_at",
    )

    def __init__(
        self,
        log: Log,
        *,
        alias: int,
        shelf: Shelf,
        engine: Engine,
        on_fetched: Callable[["Line"], None],
    ) -> None:
        self.key = log.key
        self.log = log
        self.alias = alias
        self.topic = log.key[1].encode()
        self.engine = engine
        self.subscriptions: dict[Subscription, None] = {}
        self.listeners: set[Callable[[], None]] = set()
        self.counters = Counters()
        self.ending: Ending | None = None
        self.packs: dict[int, Pack] = {}
        # Where the log ended at each flush, by which a taken-back tail is noticed.
        self.trail: list[Position] = [log.position]
        self.head = log.head
        self.is_marked = self.is_turning = self.is_doubted = False
        self.used_at = 0.0
        self._on_fetched = on_fetched
        self._shelf = shelf
        self._fetching: dict[int, asyncio.Task[None]] = {}

    @property
    def is_wanted(self) -> bool:
        """Whether anybody waits for what comes."""
        return bool(self.subscriptions or self.listeners)

    def pack(self, first: int) -> Pack | None:
        """The records from ``first`` on, or ``None`` while they are being fetched."""
        found = self.packs.get(first)
        if found is not None and (found.is_full or found.last >= self.head):
            return found
        limit = min(FRAME_RECORDS, self.head - first + 1)
        if first in self._fetching or limit <= 0:
            return None
        pack, begun = inline.begin(self._read(first, limit=limit))
        if begun is not None:
            self._fetching[first] = asyncio.create_task(self._fetch(first, begun))
        return pack

    async def pack_of(self, first: int, *, limit: int, below_n: int | None) -> Pack | None:
        """The records from ``first`` on within these bounds, shared when they were cut before."""
        found = self.packs.get(first)
        if found is not None and found.count <= limit and _is_below(found.slice, below_n):
            return found
        return await self._read(first, limit=limit, below_n=below_n)

    def note_head(self) -> None:
        """Remember where the log ends now, and deliver up to there."""
        if self.trail[-1].seq != self.log.head or self.trail[-1].epoch != self.log.epoch:
            self.trail.append(self.log.position)
            self.head = self.log.head
            # Every second older point goes, so that the trail reaches far back.
            if len(self.trail) > TRAIL:
                del self.trail[: TRAIL // 2 : 2]

    def points(self) -> dict[int, bytes]:
        """
        Chain values of the log as it was delivered: at each flush, and of all recent records.

        They tell how far back a log that has taken something back is still the same.
        """
        known = {point.seq: point.ck for point in self.trail}
        for _, pack in sorted(self.packs.items()):
            ck = known.get(pack.first - 1)
            if ck is not None and ck == pack.before:
                for seq, data in enumerate(pack.slice.data, pack.first):
                    ck = known[seq] = position.chain(ck, seq, data)
        return known

    def restart_trail(self) -> None:
        """Forget what stood here before the log took something back."""
        self.trail = [self.log.position]
        self.head = self.log.head
        self.is_doubted = False
        self.packs.clear()

    def close(self) -> None:
        """Stop what is being fetched."""
        for task in self._fetching.values():
            task.cancel()

    async def _read(self, first: int, *, limit: int, below_n: int | None = None) -> Pack | None:
        epoch = self.log.epoch
        cut = await self.log.read(first - 1, limit=limit, below_n=below_n)
        before = None if cut is None else await self.log.match(cut.first - 1)
        if cut is None or epoch != self.log.epoch:
            # What was read before the log began anew belongs to nobody.
            return None
        known = self.packs.get(cut.first)
        if known is not None and (known.last, known.before, known.ck) == (cut.last, before, cut.ck):
            # Somebody else has read the same meanwhile.
            return known
        pack = Pack(self, cut, before, is_cut=cut.last < first + limit - 1)
        self._shelf.put(pack)
        return pack

    async def _fetch(self, first: int, begun: inline.Begun[Pack | None]) -> None:
        try:
            await begun
        except Exception:  # the next look at the log tries again
            logger.exception("A log could not be read", extra={"action": "log_read_failed"})
            return
        finally:
            self._fetching.pop(first, None)
        self._on_fetched(self)


def _is_below(cut: Slice, below_n: int | None) -> bool:
    return below_n is None or cut.n is None or cut.n[-1] < below_n
