"""Clients, seats and logs for tests of the hub: fakes on the far side of its interfaces."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aegis_project.kit.seat import Seat
from streaming.core import position
from streaming.core.errors import CloseCode

SESSION = "11111111-1111-1111-1111-111111111111"


def seat(name="a", **fields):
    own = {
        "component_id": f"component-{name}",
        "session_id": SESSION,
        "name": name,
        "patterns": ("**",),
        "topics": (),
        "fence": 1,
        "extended": True,
        "batch": True,
    }
    return Seat(**{**own, **fields})


def plain_seat(name="p", **fields):
    return seat(name, **{"extended": False, "batch": False, **fields})


class Client:
    """What a server would be to the hub: it keeps every message, and can stop taking them."""

    def __init__(self):
        self.messages = []
        self.taking = asyncio.Event()
        self.taking.set()
        self.is_gone = self.is_abandoned = False
        self.buffered = 0

    async def send(self, message):
        if not self.taking.is_set():
            await self.taking.wait()
        if self.is_gone:
            raise OSError
        self.messages.append(message)

    def stall(self):
        self.taking.clear()

    def go_on(self):
        self.taking.set()

    def unsent(self):
        return self.buffered

    def abandon(self):
        self.is_abandoned = True

    @property
    def frames(self):
        sent = [one for one in self.messages if one["type"] == "websocket.send"]
        return [json.loads(one["text"]) for one in sent]

    def told(self, command):
        return [frame for frame in self.frames if frame.get("COMMAND") == command]

    @property
    def records(self):
        """Topic or alias, seq and data of every record, in the order they came."""
        found = []
        for frame in self.frames:
            if "msgs" in frame:
                for offset, data in enumerate(frame["msgs"]):
                    found.append((frame["alias"], frame["first"] + offset, data))
            elif "data" in frame:
                found.append((frame["topic"], frame["seq"], frame["data"]))
        return found

    @property
    def seqs(self):
        return [seq for _, seq, _ in self.records]

    @property
    def closed(self):
        codes = [one["code"] for one in self.messages if one["type"] == "websocket.close"]
        return CloseCode(codes[0]) if codes else None


async def settle(hub, rounds=5):
    """Let the hub and its tasks do all they can do now."""
    for _ in range(rounds):
        hub.flusher.flush()
        for _ in range(4):
            await asyncio.sleep(0)


async def until(is_true, seconds=5.0):
    """Wait for something that must come about."""
    async with asyncio.timeout(seconds):
        while not is_true():  # noqa: ASYNC110 -- with a deadline
            await asyncio.sleep(0.001)


def connection_of(hub, name="a"):
    """The connection of the seat with this name, which is there."""
    connection = hub.seats.of(f"component-{name}")
    assert connection is not None
    return connection


async def publish(hub, topic, *values, session=SESSION, ts=1000):
    records = [(ts, json.dumps(value).encode()) for value in values]
    return await hub.publish((session, topic), records)


@dataclass
class Track:
    """One topic as its subscriber knows it; checks P1 to P5 on the way."""

    epoch: str = ""
    seq: int = 0
    ck: bytes | None = None
    got: list[Any] = field(default_factory=list)
    missing: list[Any] = field(default_factory=list)
    end: dict[str, Any] | None = None


class Reader:
    """
    Reads the frames of one connection as a client must, and refuses what breaks a promise.

    A sequence number that is not the next one, unless a GAP or REWIND came before, and a chain
    value or receipt that the bytes received do not give, are errors.
    """

    def __init__(self):
        self.tracks = {}
        self.names = {}

    def read(self, client):
        messages, client.messages = client.messages, []
        for message in messages:
            if message["type"] == "websocket.send":
                self.take(message["text"])
        return self

    def take(self, text):
        frame = json.loads(text)
        command = frame.get("COMMAND", "RECORDS")
        reader = getattr(self, f"_{command.lower()}", None)
        if reader is not None:
            reader(frame, text)

    def _subscribed(self, frame, _):
        for entry in frame["topics"]:
            self.names[entry["alias"]] = entry["topic"]
            track = self.tracks.setdefault(entry["topic"], Track())
            if not entry["resumed"]:
                track.seq = entry["next"] - 1
                track.ck = entry["ck"] and bytes.fromhex(entry["ck"])
            track.epoch = entry["epoch"]

    def _records(self, frame, text):
        name = frame.get("topic") or self.names[frame["alias"]]
        track = self.tracks.setdefault(name, Track())
        first = frame.get("first", frame.get("seq"))
        assert first == track.seq + 1, (name, first, track.seq)
        for data in _raw_items(frame, text):
            track.seq += 1
            if track.ck is not None:
                track.ck = position.chain(track.ck, track.seq, data)
            track.got.append((track.epoch, track.seq, data))
        if "ck" in frame:
            assert track.ck is None or track.ck.hex() == frame["ck"]
            track.ck = bytes.fromhex(frame["ck"])

    def _gap(self, frame, _):
        track = self.tracks[frame["topic"]]
        if frame["count"] is not None:
            assert frame["from"] == track.seq + 1
            assert frame["count"] == frame["to"] - frame["from"] + 1
            assert frame["next"] == frame["to"] + 1
            track.missing += range(frame["from"], frame["to"] + 1)
        else:
            track.missing.append(None)
        self._stand(track, frame, frame["next"] - 1)

    def _rewind(self, frame, _):
        track = self.tracks[frame["topic"]]
        track.missing.append(("rewind", frame["to"]))
        self._stand(track, frame, frame["to"])

    def _stand(self, track, frame, seq):
        track.epoch, track.seq = frame["epoch"], seq
        track.ck = frame["ck"] and bytes.fromhex(frame["ck"])

    def _end(self, frame, _):
        track = self.tracks[frame["topic"]]
        assert (frame["epoch"], frame["seq"]) == (track.epoch, track.seq)
        assert frame["count"] == frame["seq"]
        assert track.ck is None or track.ck.hex() == frame["ck"]
        track.end = frame

    def _pos(self, frame, _):
        for alias, (seq, ck) in frame["pos"].items():
            track = self.tracks[self.names[int(alias)]]
            assert (track.seq, track.ck.hex()) == (seq, ck)


def _raw_items(frame, text):
    # The bytes as they stood, found again by the way they were spliced in.
    if "data" in frame:
        return [text[text.index('"data":') + 7 : -1].encode()]
    inner = text[text.index('"msgs":[') + 8 : text.rindex('],"ck"')]
    items, rest = [], inner
    decoder = json.JSONDecoder()
    while rest:
        _, end = decoder.raw_decode(rest)
        items.append(rest[:end].encode())
        rest = rest[end + 1 :]
    return items
