"""The newest records of one log as this process has them: what many sockets read for one reading."""

from array import array
from collections.abc import Sequence

from streaming.core.position import CK_BYTES
from streaming.engines.base import Slice, within

RECORDS = 4096
BYTES = 4 * 1024 * 1024
SLACK = 8
"""At a bound one part in so many is let go, so that not every record moves all the others."""


class Mirror:
    """Consecutive records after ``base``, each with its chain value; and that of ``base`` itself."""

    __slots__ = ("_cks", "_data", "_ts", "base", "bytes")

    def __init__(self) -> None:
        self.base = 0
        self.bytes = 0
        self._ts = array("q")
        self._data: list[bytes] = []
        # One value before the first record, and one for each.
        self._cks = bytearray()

    @property
    def last(self) -> int:
        """The seq of the last record, or ``base``."""
        return self.base + len(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def clear(self) -> None:
        """Let go of everything; not even the base is known."""
        self.base = self.bytes = 0
        del self._ts[:]
        self._data.clear()
        self._cks.clear()

    def extend(
        self,
        after: int,
        before: bytes,
        ts: Sequence[int],
        data: Sequence[bytes],
        cks: Sequence[bytes],
    ) -> None:
        """Put records behind ``after``; what does not end there is let go of first."""
        if not self._cks or after != self.last:
            self.clear()
            self.base = after
            self._cks += before
        self._ts.extend(ts)
        self._data += data
        self._cks += b"".join(cks)
        self.bytes += sum(map(len, data))
        if len(self._data) > RECORDS or self.bytes > BYTES:
            self._shrink()

    def ck_at(self, seq: int) -> bytes | None:
        """The chain value at ``seq``, from the base on."""
        if not self._cks or not self.base <= seq <= self.last:
            return None
        place = (seq - self.base) * CK_BYTES
        return bytes(self._cks[place : place + CK_BYTES])

    def read(self, after: int, *, limit: int, max_bytes: int) -> Slice | None:
        """The records that follow ``after``, if that is within; at least one."""
        if not self.base <= after < self.last:
            return None
        begin = after - self.base
        data = self._data[begin : begin + limit]
        del data[within(data, max_bytes) :]
        end = begin + len(data)
        ck = bytes(self._cks[end * CK_BYTES : (end + 1) * CK_BYTES])
        return Slice(after + 1, self._ts[begin:end].tolist(), data, ck)

    def _shrink(self) -> None:
        records, limit = RECORDS - RECORDS // SLACK, BYTES - BYTES // SLACK
        gone, left, size = 0, len(self._data), self.bytes
        while left > 1 and (left > records or size > limit):
            size -= len(self._data[gone])
            gone, left = gone + 1, left - 1
        self.base += gone
        self.bytes = size
        del self._ts[:gone]
        del self._data[:gone]
        del self._cks[: gone * CK_BYTES]
