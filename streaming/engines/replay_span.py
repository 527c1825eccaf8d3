"""Consecutive records of a source topic in memory."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from streaming.core.position import CK_BYTES
from streaming.engines.base import Slice
from streaming.sources.clock import Part


class Span:
    """
    Records ``first`` to ``last`` of a topic, column by column; may be empty.

    ``ts`` are unix milliseconds, ``n`` the places in the clock order, ``ck`` the chain values
    after each record, one behind the other.
    """

    __slots__ = ("ck", "data", "first", "n", "ts")

    def __init__(self, first: int) -> None:
        self.first = first
        self.ts = array("q")
        self.n = array("q")
        self.data: list[bytes] = []
        self.ck = bytearray()

    @property
    def last(self) -> int:
        """The seq of the last record, ``first - 1`` when there is none."""
        return self.first + len(self.data) - 1

    def has(self, seq: int) -> bool:
        return self.first <= seq <= self.last

    def extend(self, part: Part) -> None:
        """Put the records that follow the last one behind it."""
        self.put(part.ts, part.n, part.data, part.ck)

    def put(
        self,
        ts: Sequence[int],
        n: Sequence[int],
        data: Sequence[bytes],
        ck: Sequence[bytes],
    ) -> None:
        self.ts.extend(ts)
        self.n.extend(n)
        self.data.extend(data)
        self.ck += b"".join(ck)

    def forget(self, n: int) -> None:
        """Let the records up to ``n`` go."""
        count = bisect_right(self.n, n)
        if count:
            del self.ts[:count], self.n[:count], self.data[:count], self.ck[: count * CK_BYTES]
            self.first += count

    def seq_by(self, n: int) -> int:
        """The seq of the last record up to ``n``."""
        return self.first + bisect_right(self.n, n) - 1

    def seq_at(self, ts: int) -> int:
        """The seq of the first record at or after ``ts``, ``last + 1`` when there is none."""
        return self.first + bisect_left(self.ts, ts)

    def ck_at(self, seq: int) -> bytes:
        end = (seq + 1 - self.first) * CK_BYTES
        return bytes(self.ck[end - CK_BYTES : end])

    def n_at(self, seq: int) -> int:
        return self.n[seq - self.first]

    def cut(
        self, after: int, *, head: int, limit: int, max_bytes: int, below_n: int | None
    ) -> Slice | None:
        """The slice that :meth:`base.Log.read` promises; ``after + 1`` is in the span."""
        start = after + 1 - self.first
        end = min(start + limit, head + 1 - self.first, len(self.data))
        if below_n is not None and end > start:
            end = bisect_left(self.n, below_n, start, end)
        if end <= start:
            return None
        data = self.data[start:end]
        sizes = list(accumulate(map(len, data)))
        if sizes[-1] > max_bytes:
            del data[max(1, bisect_right(sizes, max_bytes)) :]
            end = start + len(data)
        ts, n = self.ts[start:end].tolist(), self.n[start:end].tolist()
        return Slice(after + 1, ts, data, self.ck_at(after + len(data)), n)
