"""What a Valkey answers when it is asked about a log."""

from typing import Any

import msgspec

from streaming.engines.base import Slice, within


class Seen(msgspec.Struct, frozen=True):
    """
    What the store says of a log; ``anchor`` is the chain value before ``start``.

    ``at`` is the chain value at ``after`` (empty when that lies beyond the head), ``ts``, ``data``
    and ``cks`` are of the records that follow it, ``due`` the seconds until its oldest is too old.
    """

    epoch: str
    head: int
    ck: bytes
    start: int
    anchor: bytes
    due: float
    after: int
    at: bytes
    ts: list[int]
    data: list[bytes]
    cks: list[bytes]

    @property
    def last(self) -> int:
        """The seq of the last record that came along."""
        return self.after + len(self.data)

    def cut(self, *, limit: int, max_bytes: int) -> Slice | None:
        """What came along, within these bounds but at least one record."""
        count = within(self.data[:limit], max_bytes)
        if not count:
            return None
        return Slice(self.after + 1, self.ts[:count], self.data[:count], self.cks[count - 1])


def read(answer: list[Any]) -> Seen:
    """What the answer of the script :data:`LOOK` says."""
    epoch, head, ck, start, anchor, due, after, at, found = answer
    # Each is its id and t, ts, d, data, c, ck, z, bytes.
    fields = [one[1] for one in found]
    return Seen(
        epoch=epoch.decode(),
        head=int(head),
        ck=ck,
        start=int(start),
        anchor=anchor,
        due=float(due),
        after=int(after),
        at=at,
        ts=[int(one[1]) for one in fields],
        data=[one[3] for one in fields],
        cks=[one[5] for one in fields],
    )
