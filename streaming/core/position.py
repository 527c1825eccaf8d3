"""Positions in a log: epoch, sequence number and the chain value that proves both."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aegis_project.kit.errors import ValidationFailed

CK_BYTES = 8
MAX_SEQ = 2**53 - 1
MAX_TRAIL = 64
HEX16 = re.compile(r"[0-9a-f]{16}\Z")
DIGITS = re.compile(r"[0-9]{1,16}\Z")

_sha256 = hashlib.sha256


def genesis(topic: str, epoch: str) -> bytes:
    """``ck(0)``: the first 8 bytes of SHA-256 over the topic, a zero byte and the epoch."""
    return _sha256(topic.encode() + b"\x00" + epoch.encode("ascii")).digest()[:CK_BYTES]


def chain(previous: bytes, seq: int, data: bytes) -> bytes:
    """``ck(seq)``: the first 8 bytes of SHA-256 over ``ck(seq - 1)``, seq (u64) and the data."""
    return _sha256(b"".join((previous, seq.to_bytes(8, "big"), data))).digest()[:CK_BYTES]


def chain_all(previous: bytes, first: int, items: Iterable[bytes]) -> bytes:
    """The chain value after ``items``, the first of which has the number ``first``."""
    for seq, data in enumerate(items, first):
        previous = chain(previous, seq, data)
    return previous


@dataclass(frozen=True, slots=True)
class Position:
    """
    A place in a log: after record ``seq`` of ``epoch``, with the chain value there.

    Its text, ``epoch:seq:ck``, is the SSE id of a topic.
    """

    epoch: str
    seq: int
    ck: bytes

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}:{self.ck.hex()}"

    def as_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "seq": self.seq, "ck": self.ck.hex()}


@dataclass(frozen=True, slots=True)
class Cursor(Position):
    """A position that a client brings back, with older points it can also prove, oldest first."""

    trail: tuple[tuple[int, bytes], ...] = ()


def parse(text: str) -> Cursor:
    """
    The cursor written as ``epoch:seq:ck``.

    :raises ValidationFailed: when it is not written so
    """
    parts = text.split(":")
    if len(parts) != 3 or not DIGITS.match(parts[1]):
        raise ValidationFailed("A position is written epoch:seq:ck.")
    return Cursor(_epoch(parts[0]), _seq(int(parts[1])), _ck(parts[2]))


def read(value: Any) -> Cursor:
    """
    The cursor in a decoded frame: ``{epoch, seq, ck, trail?: [[seq, ck], …]}``.

    :raises ValidationFailed: when it does not have this form
    """
    if not isinstance(value, Mapping):
        raise ValidationFailed("A cursor is an object of epoch, seq and ck.")
    return Cursor(
        _epoch(value.get("epoch")),
        _seq(value.get("seq")),
        _ck(value.get("ck")),
        _trail(value.get("trail")),
    )


def _epoch(value: Any) -> str:
    if not isinstance(value, str) or not HEX16.match(value):
        raise ValidationFailed("An epoch is 16 lower-case hex digits.")
    return value


def _seq(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SEQ:
        raise ValidationFailed("A seq is a whole number from 0 to 2^53 - 1.")
    return value


def _ck(value: Any) -> bytes:
    if not isinstance(value, str) or not HEX16.match(value):
        raise ValidationFailed("A ck is 16 lower-case hex digits.")
    return bytes.fromhex(value)


def _trail(value: Any) -> tuple[tuple[int, bytes], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_TRAIL:
        raise ValidationFailed(f"A trail is a list of at most {MAX_TRAIL} points.")
    points = []
    for point in value:
        if not isinstance(point, list) or len(point) != 2:
            raise ValidationFailed("A point of a trail is a pair of seq and ck.")
        points.append((_seq(point[0]), _ck(point[1])))
    return tuple(sorted(points))
