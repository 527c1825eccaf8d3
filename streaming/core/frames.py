"""The frames that the server sends on the data socket."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aegis_project.kit.errors import AegisError
from streaming.core.messages import Id
from streaming.core.position import Position
from streaming.core.resume import Gap, Notice, Placement, Rewind

Frame = dict[str, Any]

_encode = msgspec.json.Encoder(enc_hook=str).encode


def encode(frame: Frame) -> str:
    """Write a frame as the text that is sent."""
    return _encode(frame).decode()


# Records: texts spliced together, so that `data` goes out byte for byte as it came in


def plain(topic: bytes, seq: int, ts: int, data: bytes, n: int | None) -> str:
    """Write one record in a frame of its own."""
    if n is None:
        return (b'{"topic":"%b","seq":%d,"ts":%d,"data":%b}' % (topic, seq, ts, data)).decode()
    form = b'{"topic":"%b","seq":%d,"ts":%d,"n":%d,"data":%b}'
    return (form % (topic, seq, ts, n, data)).decode()


def batch(
    *, alias: int, first: int, ts: Sequence[int], data: Sequence[bytes], ck: bytes, n: Sequence[int]
) -> str:
    """Write consecutive records in one frame; ``n`` is empty where there is no clock order."""
    order = b',"n":%b' % _encode(n) if n else b""
    return (
        b'{"alias":%d,"first":%d,"ts":%b%b,"msgs":[%b],"ck":"%b"}'
        % (alias, first, _encode(ts), order, b",".join(data), ck.hex().encode())
    ).decode()


# Answers


def ack() -> Frame:
    return {"COMMAND": "ACK"}


def entry(*, topic: str, alias: int, epoch: str, start: int, head: int, placed: Placement) -> Frame:
    """Tell one subscribed topic: where its log stands and what will come ``next``."""
    return {
        "topic": topic,
        "alias": alias,
        "epoch": epoch,
        "start": start,
        "head": head,
        "next": placed.next,
        "ck": placed.ck.hex() if placed.ck is not None else None,
        "resumed": placed.is_resumed,
    }


def subscribed(ref: Id, topics: Sequence[Frame], errors: Sequence[Frame] = ()) -> Frame:
    return {"COMMAND": "SUBSCRIBED", "id": ref, "topics": list(topics), "errors": list(errors)}


def refused(topic: str, error: AegisError) -> Frame:
    """Tell one topic of a SUBSCRIBE that was refused while others go on."""
    return {"topic": topic, "code": error.code, "temporary": error.temporary}


def unsubscribed(ref: Id, topics: Sequence[str]) -> Frame:
    return {"COMMAND": "UNSUBSCRIBED", "id": ref, "topics": list(topics)}


def published(ref: Id, topic: str, position: Position, count: int, quarantined: int = 0) -> Frame:
    """Tell where ``count`` records have gone; ``position`` is that of the last."""
    frame: Frame = {
        "COMMAND": "PUBLISHED",
        "id": ref,
        "topic": topic,
        "epoch": position.epoch,
        "first": position.seq - count + 1,
        "last": position.seq,
    }
    return {**frame, "quarantined": quarantined} if quarantined else frame


def error(refusal: AegisError, *, ref: Id = None, topic: str | None = None) -> Frame:
    """Tell what was refused; ``ref`` is the id or COMMAND of the frame it answers."""
    frame: Frame = {
        "COMMAND": "ERROR",
        "code": refusal.code,
        "temporary": refusal.temporary,
        "message": refusal.message,
    }
    more = {"ref": ref, "topic": topic, "details": refusal.details or None}
    frame.update({name: value for name, value in more.items() if value is not None})
    return frame


# Notices, in order with the records


def notice(
    told: Notice, *, topic: str, alias: int, epoch: str, placed: Placement, is_extended: bool
) -> Frame:
    """
    Tell what stands between the last record and the next one: GAP or REWIND.

    A subscriber that does not know REWIND is told a GAP of unknown size instead.
    """
    if isinstance(told, Rewind):
        if is_extended:
            return rewind(told, topic=topic, alias=alias, epoch=epoch)
        return _gap(topic, alias, epoch, placed, reason="rollback")
    if isinstance(told, Gap):
        span = {"from": told.first, "to": told.last, "count": told.count}
        return _gap(topic, alias, epoch, placed, reason=told.reason, **span)
    frame = _gap(topic, alias, epoch, placed, reason=told.reason)
    return {**frame, "prev": told.previous.as_dict()}


def rewind(told: Rewind, *, topic: str, alias: int, epoch: str) -> Frame:
    return {
        "COMMAND": "REWIND",
        "topic": topic,
        "alias": alias,
        "epoch": epoch,
        "to": told.to,
        "ck": told.ck.hex(),
        "reason": "rollback",
    }


def _gap(
    topic: str, alias: int, epoch: str, placed: Placement, *, reason: str, **span: int
) -> Frame:
    nothing = {"from": None, "to": None, "count": None}
    return {
        "COMMAND": "GAP",
        "topic": topic,
        "alias": alias,
        "epoch": epoch,
        **nothing,
        **span,
        "reason": reason,
        "next": placed.next,
        "ck": placed.ck.hex() if placed.ck is not None else None,
    }


def pos(heads: Mapping[int, tuple[int, bytes]]) -> Frame:
    """Prove that nothing is missing while nothing comes: seq and ck per alias, at the heads."""
    points = {str(alias): [seq, ck.hex()] for alias, (seq, ck) in heads.items()}
    return {"COMMAND": "POS", "pos": points, "lag_ms": 0}


def end(*, topic: str, alias: int, position: Position, reason: str, final: bool) -> Frame:
    """Tell that nothing follows: the receipt, which can be recomputed from the frames."""
    return {
        "COMMAND": "END",
        "topic": topic,
        "alias": alias,
        "epoch": position.epoch,
        "seq": position.seq,
        "count": position.seq,
        "ck": position.ck.hex(),
        "reason": reason,
        "final": final,
    }
