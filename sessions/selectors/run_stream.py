"""Following what a run says, from its log alone: in any process, at any time, as often as wanted."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aegis_project.database import read_db
from sessions.core import run_log
from sessions.core.catching_up import Numbered, so_far
from sessions.core.run_log import End, Error, Status
from sessions.core.runs import OPEN, State
from sessions.models import Run
from streaming.core.resume import Start
from streaming.engines.base import Key, Slice
from streaming.hub import Hub, following
from streaming.models import Log

LOOK_SECONDS = 4.0


def key_of(run: Run) -> Key:
    """Under which key the hub has the log of a run."""
    return (str(run.session_id), run_log.name_of(run.pk))


async def entries(
    hub: Hub, run: Run, *, after: int = 0, beat_seconds: float
) -> AsyncGenerator[list[Numbered], None]:
    """
    What a run said behind entry ``after`` and what it says, to its last entry; on the hub's loop.

    Who begins at the beginning first gets all that still counts, in few pieces; who comes back
    gets every later entry once. Nothing at all came for a beat when a list is empty.

    :raises TopicNotFound: when there is no such log
    """
    key = key_of(run)
    waiting = (await hub.bounds(key))[1].seq if after == 0 else 0
    begin, held = Start("seq", after + 1), list[Numbered]()
    async with aclosing(following.follow(hub, key, begin, beat_seconds=beat_seconds)) as turns:
        async for turn in turns:
            held += numbered(turn.cut) if turn.cut else ()
            if turn.at.seq < waiting:
                continue
            yield so_far(held) if waiting else held
            if held and isinstance(held[-1].entry, End | Error):
                return
            if turn.is_beat and await read_db(_is_over, run):
                return
            waiting, held = 0, []


async def settled(hub: Hub, run: Run, *, timeout_seconds: float) -> None:
    """Wait until a run is over or waits for somebody, so long at most; on the hub's loop."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_seconds):
            async with aclosing(entries(hub, run, beat_seconds=LOOK_SECONDS)) as said:
                async for found in said:
                    if found and is_waiting(found[-1].entry):
                        return


def is_waiting(entry: run_log.AnyEntry) -> bool:
    """Whether a run says here that it cannot go on by itself."""
    return isinstance(entry, Status) and entry.state == State.WAITING


def numbered(cut: Slice) -> list[Numbered]:
    """The entries of a slice of a run's log."""
    pairs = enumerate(zip(cut.ts, cut.data, strict=True), cut.first)
    return [Numbered(seq, ts, run_log.decode(data)) for seq, (ts, data) in pairs]


def _is_over(run: Run) -> bool:
    # Its log says so in its last entry; should that be missing, nobody waits for it for ever.
    return not Run.objects.filter(pk=run.pk, state__in=OPEN).exists()


def is_left(run: Run, after: int) -> bool:
    """Whether a run has said anything behind entry ``after``."""
    name = run_log.name_of(run.pk)
    return Log.objects.filter(session=run.session_id, name=name, head__gt=after).exists()
