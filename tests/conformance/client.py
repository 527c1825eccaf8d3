"""A component as the promises see it: where it stands, what it was given, what it was told."""

import json

from streaming.core import position
from streaming.core.position import Cursor

TRAIL = 2


class Chronicle:
    """
    What was published, by ids of its own that no store knows.

    ``standing`` says which record stands, or stood before retention, at each seq of the log as it
    is; ``rank`` in which order records came to stand, ``trimmed`` what retention took.
    """

    def __init__(self):
        self.count = 0
        self.standing: dict[int, int] = {}
        self.rank: dict[int, int] = {}
        self.trimmed: list[int] = []

    def mint(self):
        self.count += 1
        return self.count

    def stands(self, seq, own):
        self.standing[seq] = own
        self.rank.setdefault(own, len(self.rank))

    def forget(self):
        """The store lost everything."""
        self.standing.clear()

    @property
    def alive(self):
        return {*self.trimmed, *self.standing.values()}


class Client:
    """
    One subscriber, which takes every frame as a component must and refuses what breaks a promise.

    It keeps its place and its trail over all connections. ``got`` are the ids it was delivered,
    ``told`` those that notices covered, ``receipts`` the ENDs that it could recompute.
    """

    def __init__(self, chronicle: Chronicle, topic: str):
        self.chronicle = chronicle
        self.topic = topic
        self.got: list[int] = []
        self.told: set[int] = set()
        self.epoch, self.seq, self.ck = "", 0, b""
        self.trail: list[tuple[int, bytes]] = []
        self.placed: tuple[str, int, str] | None = None
        self.held: dict[int, int] = {}
        self.receipts = 0
        self.is_ended = False

    @property
    def cursor(self):
        """What to bring back; a place that no notice and no record has confirmed is not kept."""
        self.placed = None
        return Cursor(self.epoch, self.seq, self.ck, tuple(self.trail)) if self.ck else None

    def resumed(self, entry):
        """Look at an answer at once: who was resumed has what the log has."""
        self.is_ended = False
        if entry["resumed"] and self.seq in self.held:
            standing = self.chronicle.standing.get(self.seq)
            assert standing == self.held[self.seq], "resumed where the log has lost it"

    # Frames

    def take(self, frame):
        match frame.get("COMMAND"):
            case None:
                self.record(frame)
            case "SUBSCRIBED":
                self.answer(*frame["topics"])
            case "REWIND":
                self.rewind(frame)
            case "GAP":
                self.gap(frame)
            case "END":
                self.end(frame)

    def answer(self, entry):
        if entry["resumed"]:
            self.epoch, self.placed = entry["epoch"], None
            return
        self.placed = (entry["epoch"], entry["next"] - 1, entry["ck"])
        if not self.ck:
            self.adopt()

    def adopt(self):
        """Stand where SUBSCRIBED said, when no notice told how that follows."""
        if self.placed:
            self.epoch, self.seq, ck = self.placed
            self.ck, self.trail, self.placed = bytes.fromhex(ck), [], None

    def record(self, frame):
        self.adopt()
        own = frame["data"]
        assert frame["seq"] == self.seq + 1, "a hole that nobody told of"
        assert own not in self.got, "delivered twice"
        self.trail = [*self.trail, (self.seq, self.ck)][-TRAIL:]
        self.seq = frame["seq"]
        self.ck = position.chain(self.ck, self.seq, json.dumps(own).encode())
        self.held[self.seq] = own
        self.got.append(own)

    def rewind(self, frame):
        assert frame["to"] < self.seq, "a rewind that goes nowhere"
        self.trail = [point for point in self.trail if point[0] < frame["to"]]
        self.held = {seq: own for seq, own in self.held.items() if seq <= frame["to"]}
        self.stand(frame, frame["to"])

    def gap(self, frame):
        if frame["count"] is None:
            assert (frame["from"], frame["to"]) == (None, None), "a guess"
            self.told |= set(range(1, self.chronicle.count + 1))
        else:
            assert frame["from"] == self.seq + 1, "a gap that begins elsewhere"
            span = range(frame["from"], frame["to"] + 1)
            assert frame["count"] == len(span), "a gap that was miscounted"
            assert frame["next"] == frame["to"] + 1, "a gap that ends elsewhere"
            standing = self.chronicle.standing
            self.told |= {standing[seq] for seq in span if seq in standing}
        self.trail, self.held = [], {}
        self.stand(frame, frame["next"] - 1)

    def end(self, frame):
        self.adopt()
        assert (frame["epoch"], frame["seq"]) == (self.epoch, self.seq), "an end elsewhere"
        assert frame["count"] == frame["seq"], "a receipt that was miscounted"
        assert frame["ck"] == self.ck.hex(), "a receipt that cannot be recomputed"
        self.receipts += 1
        self.is_ended = True

    def stand(self, frame, seq):
        self.placed = None
        self.epoch, self.seq, self.ck = frame["epoch"], seq, bytes.fromhex(frame["ck"])

    # What must hold

    def check_order(self):
        known = [self.chronicle.rank[own] for own in self.got if own in self.chronicle.rank]
        assert known == sorted(known), "out of order"

    def check_whole(self):
        """Once it stands where the log ends: everything that stands was delivered or told."""
        assert self.chronicle.alive <= {*self.got, *self.told}, "lost silently"
