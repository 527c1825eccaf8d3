"""The interface that every log engine keeps and the hub relies on."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

import msgspec

from streaming.core.errors import TopicReadOnly
from streaming.core.position import Position

Key = tuple[str, str]
"""Session id (as text) and topic name: what names one log."""

Record = tuple[int, bytes]
"""Time in unix milliseconds and the JSON text of ``data`` as it stands in every frame."""

Producer = tuple[str, int, int]
"""Who appends for the how-manieth time: producer id, its epoch (a life of it), its own counter."""

FRAME_RECORDS = 256
FRAME_BYTES = 65_536


def within(data: Sequence[bytes], max_bytes: int) -> int:
    """How many of the first texts have at most ``max_bytes`` together, but at least one."""
    size = 0
    for count, item in enumerate(data):
        size += len(item)
        if size > max_bytes and count:
            return count
    return len(data)


class Slice(msgspec.Struct, frozen=True, gc=False):
    """
    Consecutive records of one log, never empty.

    ``first`` is the seq of the first one, ``ts`` their times (unix ms), ``data`` their JSON
    texts, ``ck`` the chain value after the last, ``n`` their places in the clock order over all
    topics of a historical source (``None`` where there is no such order).
    """

    first: int
    ts: list[int]
    data: list[bytes]
    ck: bytes
    n: list[int] | None = None

    @property
    def last(self) -> int:
        """The seq of the last record."""
        return self.first + len(self.data) - 1


class Log(ABC):
    """
    One topic's log, as this process knows it.

    The attributes are what was known at the last append, read or :meth:`refresh`; correctness
    rests on ``read``, ``match`` and ``fence`` alone. The object lives as long as its topic: a new
    epoch changes the attributes and not the object. ``start`` is the first seq still readable
    (``head + 1`` when there is none), ``head`` the last one (0 when there was none), ``ck`` the
    chain value at ``head``. All calls come from the node's loop; an engine in memory never
    suspends in them.
    """

    __slots__ = ("ck", "epoch", "head", "key", "start")

    is_ordered: ClassVar[bool] = False
    """Whether records carry ``n``: true only for the topics of a historical source."""

    key: Key
    epoch: str
    start: int
    head: int
    ck: bytes

    @property
    def position(self) -> Position:
        """Where the log ends."""
        return Position(self.epoch, self.head, self.ck)

    @property
    def is_prompt(self) -> bool:
        """Whether ``append`` gives records their place before it first suspends."""
        return True

    @property
    def is_recorded(self) -> bool:
        """Whether it is on the tape, whose Log row then nobody else writes."""
        return False

    def cut(self, start: int) -> None:  # noqa: B027 -- not every log has a tape
        """Take notice that the tape begins there now."""

    async def append(self, records: Sequence[Record], producer: Producer | None = None) -> Position:
        """
        Put the records behind the head, in order and all together; the position of the last.

        What a ``producer`` has appended before is not appended again, as far as the log remembers
        it: the answer is the position of that time.

        :raises TopicReadOnly: when this log is written elsewhere or is a view
        """
        raise TopicReadOnly(topic=self.key[1])

    @abstractmethod
    async def read(
        self,
        after: int,
        *,
        limit: int = FRAME_RECORDS,
        max_bytes: int = FRAME_BYTES,
        below_n: int | None = None,
    ) -> Slice | None:
        """
        The records that follow ``after``, or ``None`` when there is none yet.

        At most ``limit`` of them and ``max_bytes`` of data, but always at least one; with
        ``below_n`` only those with a smaller ``n`` (only asked of logs that have :meth:`n_of`).
        Never reaches beyond ``head``. ``after`` must be at least ``start - 1``: the caller looks
        at ``start`` first, and a log whose retention has passed ``after`` meanwhile answers with
        the slice that begins at ``start``.
        """

    @abstractmethod
    async def match(self, seq: int) -> bytes | None:
        """
        The chain value at ``seq``, or ``None`` when it cannot be proven.

        Known from ``start - 1`` (the anchor) to ``head``; a view of a source also knows what lies
        ahead of its clock.
        """

    @abstractmethod
    async def seq_at(self, ts: int) -> int:
        """The seq of the first readable record at or after ``ts`` (unix ms), else ``head + 1``."""

    async def n_of(self, seq: int) -> int | None:
        """
        The place of record ``seq`` in the clock order of its source.

        ``None`` when it lies beyond ``head``, and always in a log without such an order.
        """
        return None

    async def fence(self, expected: str, epoch: str) -> bool:
        """
        Set the epoch if it is still ``expected``; false (and refreshed) when another was first.

        The records and the chain stay: cursors find their place by chain value.

        :raises TopicReadOnly: when only the owner of the log may do this
        """
        raise TopicReadOnly(topic=self.key[1])

    async def refresh(self) -> bool:
        """Bring the attributes up to date with the store; whether any changed."""
        return False


class Engine(ABC):
    """
    A store of logs.

    ``is_shared`` engines are written outside this hub (other processes, a database, a clock), so
    the hub waits on them; what a hub appends itself it delivers without waiting.
    """

    is_shared: ClassVar[bool] = False

    @property
    def away_since(self) -> float | None:
        """Since when the store cannot be reached (seconds of the loop), ``None`` while it can."""
        return None

    @abstractmethod
    async def open(self, key: Key) -> Log | None:
        """
        The log of ``key``, always the same object while it is open.

        ``None`` when the topic is not this engine's: the hub then asks the next one. The engine
        that comes last makes a log for every name.
        """

    @abstractmethod
    def names(self, session_id: str) -> Collection[str]:
        """The topics of a session that exist here, for wildcards and lists."""

    async def meet(self, session_id: str) -> None:  # noqa: B027 -- not every engine has a past
        """Come to know the topics that a session has from before, for :meth:`names`."""

    async def wait(self, keys: Collection[Key], timeout_seconds: float) -> set[Key]:
        """
        Wait until one of the open ``keys`` may have moved, at most so long; which ones.

        ``keys`` may change while this waits; what counts is what they are at the end. A hint: it
        may be spurious, late or lost. Attributes of the logs named are refreshed. A key
        with an empty name asks for every topic of its session that has become known since.
        """
        raise NotImplementedError

    def hear(self, session_id: str) -> None:  # noqa: B027 -- not every engine is told
        """Take the hint that a log of this session moved; with an empty id, any log of any."""

    def tidy(self, now: float) -> None:  # noqa: B027 -- not every engine forgets by age
        """
        Let go of what retention by age no longer keeps; called about once a second.

        ``now`` is in seconds of a clock that only goes forward, and no record's ``ts``.
        """

    @abstractmethod
    async def forget(self, session_id: str) -> None:
        """Let go of what is held for a session that is over; recorded data stays."""

    async def close(self) -> None:  # noqa: B027 -- not every engine is connected to something
        """Let go of the store; nothing is asked of this engine any more."""
