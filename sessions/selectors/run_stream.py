"""Following what a run says, from its log alone: in any process, at any time, as often as wanted."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from django.db.models import Q

from aegis_project.database import read_db
from sessions.core import run_log
from sessions.core.catching_up import Numbered, so_far
from sessions.core.run_log import End, Error
from sessions.core.runs import OPEN, PEOPLE
from sessions.models import Run
from streaming.core.resume import Start
from streaming.engines.base import Key, Slice
from streaming.hub import Hub, following
from streaming.models import Log, Record


def key_of(run: Run) -> Key:
    """Under which key the hub has the log of a run."""
    return (str(run.session_id), run_log.name_of(run.pk))


async def entries(
    hub: Hub, run: Run, *, after: int = 0, beat_seconds: float, is_late: bool = True
) -> AsyncGenerator[list[Numbered], None]:
    """
    What a run said behind entry ``after`` and what it says, to its last entry; on the hub's loop.

    Who begins at the beginning first gets all that still counts, in few pieces; who comes back
    gets every later entry once, as does who is not ``is_late`` from the beginning on. Nothing at
    all came for a beat when a list is empty.

    :raises TopicNotFound: when there is no such log
    """
    key = key_of(run)
    waiting = (await hub.bounds(key))[1].seq if after == 0 and is_late else 0
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


def behind(run: Run, after: int) -> list[Numbered]:
    """What a run has said behind entry ``after``, in its order."""
    name = run_log.name_of(run.pk)
    log = Log.objects.filter(session=run.session_id, name=name)
    rows = Record.objects.filter(log__in=log, seq__gt=after).order_by("seq")
    return [
        Numbered(seq, ts, run_log.decode(bytes(body)))
        for seq, ts, body in rows.values_list("seq", "ts", "body")
    ]


def rests(run: Run) -> bool:
    """Whether a run is over, or waits for what only somebody can give, as it is by now."""
    rows = Run.objects.filter(pk=run.pk)
    return rows.filter(~Q(ended_at=None) | Q(waiting_for__in=PEOPLE)).exists()
