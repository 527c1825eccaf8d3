"""What a recorder needs of the tape: the database as it keeps recorded topics."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from msgspec import Struct

from streaming.engines.base import Key, Slice


class Taped(Struct, frozen=True):
    """
    How far a topic is on its tape; an empty ``epoch`` is a topic that is not recorded.

    ``start`` is the first record kept, ``head`` the last, ``ck`` the chain value there. ``id`` is
    that of the Log row, ``fence`` counts who has written: who holds an older one may not.
    """

    epoch: str
    start: int
    head: int
    ck: bytes
    id: int = 0
    fence: int = 0


BLANK = Taped("", 1, 0, b"")


class Group(Struct, frozen=True):
    """Consecutive records of one topic that go to its tape; ``before`` is where that ends now."""

    before: Taped
    ts: list[int]
    data: list[bytes]
    cks: list[bytes]

    @property
    def after(self) -> Taped:
        """Where the tape ends with them."""
        before = self.before
        head = before.head + len(self.data)
        return Taped(before.epoch, before.start, head, self.cks[-1], before.id, before.fence)


class Tape(ABC):
    """The tape of all topics. Writing is fenced: of two processes one alone goes on."""

    @abstractmethod
    async def names(self, session_id: str) -> Collection[str]:
        """The topics of a session that are on the tape."""

    @abstractmethod
    async def find(self, key: Key) -> Taped:
        """How far a topic is on the tape, as its records prove."""

    @abstractmethod
    async def claim(self, key: Key, begin: Taped) -> Taped | None:
        """
        Take a topic's tape for this process; how far it is.

        A tape of another epoch than that of ``begin``, or none, is begun there. ``None`` when
        somebody wrote since ``begin.fence`` was read.

        :raises ServiceUnavailable: while another process that lives holds it
        """

    @abstractmethod
    async def write(self, groups: Sequence[Group]) -> list[Taped]:
        """
        Write groups, each at most once and only behind what it follows on; all in one transaction.

        Answers how far each topic is now, in their order, whoever wrote it.
        """

    @abstractmethod
    async def release(self, taped: Taped, *, is_recorded: bool) -> None:
        """Let another process take this tape, and say whether the topic is still recorded."""

    @abstractmethod
    async def read(self, taped: Taped, first: int, *, limit: int, max_bytes: int) -> Slice | None:
        """The records from ``first`` on, as :meth:`Log.read` cuts them."""

    @abstractmethod
    async def ck(self, taped: Taped, seq: int) -> bytes | None:
        """The chain value at ``seq``, from ``start - 1`` on."""

    @abstractmethod
    async def seq_at(self, taped: Taped, ts: int) -> int | None:
        """The first record at or after ``ts`` (unix ms), if there is one on the tape."""
