"""Ledgers, topics and runs as server-sent events."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import msgspec
import orjson
from msgspec import Struct

from sessions.core import sse as words
from sessions.core.events import SessionEvent
from sessions.core.sse import Place
from sessions.models import Run
from sessions.selectors import run_stream
from streaming.api import codecs, sse, topic_documents
from streaming.core import position
from streaming.core.position import Cursor, Position
from streaming.core.resume import Start
from streaming.engines.base import Key, Slice
from streaming.hub import following
from streaming.hub.following import Turn
from streaming.node import Node


class Head(Struct):
    """What an event of a ledger begins with."""

    type: str


read_head = msgspec.json.Decoder(Head).decode


async def ledger(here: Node, key: Key, *, after: int, is_over: bool) -> AsyncGenerator[bytes, None]:
    """Events behind number ``after`` and those that come, until the session is closed."""
    begin = Start("seq", after + 1)
    turns = following.follow(here.hub, key, begin, beat_seconds=sse.CHECK_SECONDS)
    async with aclosing(turns):
        async for turn in turns:
            written, ends = _events(turn.cut) if turn.cut else (b"", False)
            yield written
            is_over = is_over or ends
            if is_over and turn.at.seq >= (await here.hub.bounds(key))[1].seq:
                return


def _events(cut: Slice) -> tuple[bytes, bool]:
    heads = [read_head(body).type for body in cut.data]
    written = [
        sse.event(id=str(seq), name=name, data=body)
        for seq, (name, body) in enumerate(zip(heads, cut.data, strict=True), cut.first)
    ]
    return b"".join(written), SessionEvent.ENDED in heads


async def topic(
    here: Node, key: Key, begin: Start, cursor: Cursor | None
) -> AsyncGenerator[bytes, None]:
    """Records from a place on and those that come, with what has to be told before, to the end."""
    turns = following.follow(here.hub, key, begin, cursor, beat_seconds=sse.CHECK_SECONDS)
    async with aclosing(turns):
        async for turn in turns:
            yield b"".join([_notice(turn), *_records(turn, key[1]), _end(turn, key[1])])
            if turn.ending is not None and turn.ending.final:
                return


def _records(turn: Turn, name: str) -> Iterator[bytes]:
    cut, ck = turn.cut, turn.before
    if cut is None:
        return
    for seq, (ts, data) in enumerate(zip(cut.ts, cut.data, strict=True), cut.first):
        ck = position.chain(ck, seq, data)
        body = {"topic": name, "seq": seq, "ts": ts, "data": orjson.Fragment(data)}
        at = Position(turn.at.epoch, seq, ck)
        yield sse.shown(id=str(at), name="record", data=body)


def _notice(turn: Turn) -> bytes:
    told = topic_documents.notice(turn.notice)
    if told is None:
        return b""
    at = str(turn.at) if turn.at.ck else ""
    return sse.shown(id=at, name=told.kind, data=codecs.show(told))


def _end(turn: Turn, name: str) -> bytes:
    ending = turn.ending
    if ending is None:
        return b""
    return sse.shown(
        name="end", data={"topic": name, "reason": ending.reason, "final": ending.final}
    )


async def run(here: Node, run: Run, behind: Place) -> AsyncGenerator[bytes, None]:
    """What a run says behind a place, to its end."""
    entries = run_stream.entries(here.hub, run, after=behind.seq, beat_seconds=sse.CHECK_SECONDS)
    session = str(run.session_id)
    async with aclosing(entries):
        async for found in entries:
            events = words.events(found, session=session, behind=behind)
            yield b"".join(sse.shown(id=one.id, name=one.event, data=one.data) for one in events)
