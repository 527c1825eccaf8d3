"""Where a component stands in each of its topics, and the proof of it."""

from itertools import count, repeat
from typing import Any

import msgspec

from components.sdk import wire
from components.sdk.records import Gap, Receipt, Record, Rewind
from streaming.core import position
from streaming.core.position import Cursor, Position

# A trail is thinned to these many points: dense behind the head, sparse further back.
TRAIL_POINTS = 32
TRAIL_STEP = 16

_value = msgspec.json.Decoder(Any).decode


class Track:
    """
    One topic as this component has received it.

    ``seq`` is the last number delivered. ``proof`` is the last place whose chain value is known,
    usually the same: it follows the raw bytes of the records, so that it proves what was received
    and not what was promised. ``is_whole`` says that nothing was missing since the subscription
    began, ``is_over`` that it has ended for good: what is announced next is another log.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.alias: int | None = None
        self.epoch = ""
        self.seq = 0
        self.proof: Position | None = None
        self.is_whole = True
        self.is_over = False
        self.trail: list[tuple[int, bytes]] = []

    @classmethod
    def at(cls, topic: str, cursor: Cursor) -> "Track":
        """A track that goes on from a stored cursor."""
        track = cls(topic)
        track.epoch, track.seq = cursor.epoch, cursor.seq
        track.proof = Position(cursor.epoch, cursor.seq, cursor.ck)
        track.trail = list(cursor.trail)
        return track

    @property
    def cursor(self) -> Cursor | None:
        """What to bring back after a cut; None while nothing can be proven."""
        if self.proof is None:
            return None
        trail = tuple(point for point in self.trail if point[0] < self.proof.seq)
        return Cursor(self.proof.epoch, self.proof.seq, self.proof.ck, trail)

    # Frames

    def place(self, entry: wire.Entry) -> None:
        """
        Take the server's word where delivery goes on.

        A cursor that was not proven stays what it is until the GAP or REWIND that follows says
        what it missed: after a cut between the two, that must be told again.
        """
        self.alias = entry.alias
        is_new = self.proof is None or self.is_over
        if not is_new and not entry.resumed:
            return
        if is_new:
            self.seq = entry.next - 1
            self.trail.clear()
            self.is_whole, self.is_over = True, False
        self.epoch = entry.epoch
        self._prove(entry.next - 1, entry.ck)

    def take(self, frame: wire.Inbound) -> list[Record | Gap]:
        """The records of a frame that are new, after a gap that nobody told of if there is one."""
        first, ts, raws, n = _columns(frame)
        events: list[Record | Gap] = [*self._jump(first)]
        cks = self._chain(first, raws, frame.ck)
        records = map(
            Record,
            repeat(self.topic),
            count(first),
            ts,
            map(_value, raws),
            raws,
            repeat(self.epoch),
            cks,
            n,
        )
        # What comes again after a resume is needed for the chain and was delivered before.
        events += list(records)[max(0, self.seq + 1 - first) :]
        self.seq = max(self.seq, first + len(raws) - 1)
        return events

    def gap(self, frame: wire.Inbound) -> Gap:
        """Go on behind records that do not come."""
        self.is_whole = False
        self.epoch = frame.epoch or self.epoch
        self.seq = frame.next - 1
        self._prove(self.seq, frame.ck)
        if frame.count is None:
            self.trail.clear()
        return Gap(
            topic=self.topic,
            epoch=self.epoch,
            first=frame.from_,
            last=frame.to,
            count=frame.count,
            reason=frame.reason,
            next=frame.next,
            previous=frame.prev,
        )

    def rewind(self, frame: wire.Inbound) -> Rewind:
        """Go back to the last place that this component and the log share."""
        self.epoch = frame.epoch or self.epoch
        self.seq = frame.to or 0
        self.trail = [point for point in self.trail if point[0] < self.seq]
        self._prove(self.seq, frame.ck)
        return Rewind(self.topic, self.epoch, self.seq, frame.reason)

    def confirm(self, seq: int, ck: str) -> None:
        """Compare with the server's proof of the same place."""
        if seq != self.seq:
            return
        if self.proof is not None and self.proof.seq == seq and self.proof.ck.hex() != ck:
            self.is_whole = False
        self._prove(seq, ck)

    def end(self, frame: wire.Inbound) -> Receipt:
        """Check the receipt against what was received."""
        proof = self.proof
        self.is_over = bool(frame.final)
        is_proven = proof is not None and (proof.seq, proof.ck.hex()) == (frame.seq, frame.ck)
        return Receipt(
            topic=self.topic,
            epoch=frame.epoch or self.epoch,
            seq=frame.seq,
            count=frame.count or 0,
            ck=frame.ck or "",
            reason=frame.reason,
            is_final=frame.final,
            is_verified=self.is_whole and is_proven and self.seq == frame.seq,
        )

    # The chain

    def _prove(self, seq: int, ck: str | None) -> None:
        # Where it is not known, the last place that was stays: a cursor may lie further back.
        if ck is not None:
            self.proof = Position(self.epoch, seq, bytes.fromhex(ck))

    def _jump(self, first: int) -> list[Gap]:
        if first <= self.seq + 1:
            return []
        self.is_whole = False
        missing = Gap(
            topic=self.topic,
            epoch=self.epoch,
            first=self.seq + 1,
            last=first - 1,
            count=first - 1 - self.seq,
            reason="unannounced",
            next=first,
        )
        return [missing]

    def _chain(self, first: int, raws: list[msgspec.Raw], told: str | None) -> list[bytes | None]:
        last = first + len(raws) - 1
        if self.proof is None or self.proof.seq != first - 1:
            self._prove(last, told)
            return [*repeat(None, len(raws) - 1), None if told is None else bytes.fromhex(told)]
        ck = self.proof.ck
        cks: list[bytes | None] = [
            ck := position.chain(ck, seq, bytes(raw)) for seq, raw in enumerate(raws, first)
        ]
        self.proof = Position(self.epoch, last, ck)
        self._leave_point(last, ck)
        if told is not None and told != ck.hex():
            # The bytes were changed on their way: go on with the server's word, prove no more.
            self.is_whole = False
            self._prove(last, told)
        return cks

    def _leave_point(self, seq: int, ck: bytes) -> None:
        if self.trail and seq - self.trail[-1][0] < TRAIL_STEP:
            return
        self.trail.append((seq, ck))
        if len(self.trail) > TRAIL_POINTS:
            half = TRAIL_POINTS // 2
            self.trail = self.trail[:half:2] + self.trail[half:]


def _columns(frame: wire.Inbound) -> tuple[int, Any, list[msgspec.Raw], Any]:
    if frame.msgs is None:
        return frame.seq, [frame.ts], [frame.data], [frame.n]
    return frame.first, frame.ts, frame.msgs, repeat(None) if frame.n is None else frame.n
