"""One topic on one connection: how far it is, and under which policy."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streaming.core.messages import Id, Policy, Request
from streaming.core.position import Cursor, Position
from streaming.core.resume import Placement

if TYPE_CHECKING:
    from streaming.hub.connection import Connection
    from streaming.hub.line import Line


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a log ends, why, and whether for good."""

    position: Position
    reason: str
    final: bool


class Subscription:
    """
    A cursor, and little else: there is no queue and no task behind it.

    ``next`` is the seq to deliver next, ``ck`` the chain value before it, ``committed`` the last
    seq that the client says it has processed, ``n`` the place of ``next`` in the clock order once
    it is known. ``is_simple`` says that the newest batch may be sent without another look; whoever
    changes what that depends on calls :meth:`settle`.
    """

    __slots__ = (
        "ck",
        "committed",
        "connection",
        "dropped",
        "ending",
        "epoch",
        "gaps",
        "is_ended",
        "is_paused",
        "is_simple",
        "key",
        "line",
        "n",
        "next",
        "pattern",
        "policy",
        "ref",
    )

    def __init__(
        self, line: "Line", connection: "Connection", request: Request, *, ref: Id, policy: Policy
    ) -> None:
        self.line = line
        self.connection = connection
        self.ref = ref
        self.policy = policy
        self.key = request.key
        self.pattern = request.topic
        self.next = 1
        self.ck: bytes | None = None
        self.epoch = line.log.epoch
        self.committed = self.gaps = self.dropped = 0
        self.is_paused = self.is_ended = False
        self.ending: Ending | None = None
        self.n: int | None = None
        self.is_simple = False
        self.settle()

    def settle(self) -> None:
        """Work out anew whether this is the usual case: live, and nothing special about it."""
        self.is_simple = (
            self.is_live
            and self.ending is None
            and self.policy != "conflate"
            and self.connection.is_simple
            and not self.line.log.is_ordered
        )

    def pause(self, *, is_paused: bool) -> None:
        """Hold the records back, or no longer."""
        self.is_paused = is_paused
        self.settle()

    def end_at(self, ending: Ending | None) -> None:
        """Tell END after the record where the log ends."""
        self.ending = ending
        self.settle()

    def move(self, placed: Placement) -> None:
        """Go on where the resume rule says."""
        self.next, self.ck, self.epoch = placed.next, placed.ck, self.line.log.epoch
        self.committed = placed.next - 1
        self.n = None

    def cursor(self, points: Sequence[tuple[int, bytes]]) -> Cursor | None:
        """What this subscriber holds, with the last of these ``points`` that it has passed."""
        if self.ck is None:
            return None
        held = self.next - 1
        passed = bisect_left(points, (held,))
        return Cursor(self.epoch, held, self.ck, tuple(points[max(0, passed - 1) : passed]))

    @property
    def goal(self) -> int:
        """
        The last seq to deliver for now: where the log was seen to end, or was ended.

        The topics of a source, of which nothing is ever taken back, all end where their one clock
        stands: each of them seen at another moment would get ahead of the others.
        """
        line, ending = self.line, self.ending
        head = line.log.head if line.log.is_ordered else line.head
        return head if ending is None else min(head, ending.position.seq)

    @property
    def is_live(self) -> bool:
        """Whether records may be delivered, as far as the subscription goes."""
        return not (self.is_paused or self.is_ended)
