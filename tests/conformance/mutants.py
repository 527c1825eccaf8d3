"""Rules that are wrong in one way each: the five of the model, and others of its kind."""

from dataclasses import replace
from typing import Any

from streaming.core import position, resume
from streaming.engines.memory_log import MemoryLog
from streaming.engines.valkey_log import ValkeyLog
from streaming.engines.window import Window
from streaming.hub import placing

LIVE = {"memory", "waiting", "valkey"}
ALL = {*LIVE, "recording"}


def no_match(patch):
    """Whoever names a seq of this epoch is believed."""

    def proven(view, cursor):
        if cursor.epoch != view.epoch or not view.start - 1 <= cursor.seq <= view.head:
            return None
        return resume.Placement(cursor.seq + 1, cursor.ck, is_resumed=True)

    patch.setattr(resume, "_proven", proven)


def without_notice(rule):
    def mutant(*args):
        placed: Any = rule(*args)
        return placed and replace(placed, notice=None)

    return mutant


def no_gap_on_trim(patch):
    """What retention took is not told."""
    patch.setattr(resume, "_passed", without_notice(resume._passed))


def inclusive(patch):
    """Whoever is resumed gets his last record again."""
    right = resume._proven

    def proven(view, cursor):
        placed: Any = right(view, cursor)
        again = placed and placed.next - 1
        return replace(placed, next=again, ck=None) if again else placed

    patch.setattr(resume, "_proven", proven)


def no_boundary(patch):
    """What cannot be proven is not told."""
    patch.setattr(resume, "_unprovable", without_notice(resume._unprovable))


def shared_genesis(patch):
    """All epochs begin with the same chain value."""
    patch.setattr(position, "genesis", lambda topic, epoch: b"the same")


def chain_of_numbers(patch):
    """The chain value of a record does not depend on what it holds."""
    right = position.chain
    patch.setattr(position, "chain", lambda previous, seq, data: right(previous, seq, b""))


def divergence_is_a_duplicate(patch):
    """A live record at a place that was seen before is taken for the one that stood there."""

    async def is_continued(line):
        return True

    patch.setattr(placing, "is_continued", is_continued)
    patch.setattr(ValkeyLog, "_is_broken", lambda self, seen: False)


def no_check_after_reconnect(patch):
    """A Valkey that is back is served from as though nothing could have happened to it."""

    async def check(self):
        return

    patch.setattr(ValkeyLog, "check", check)


def fence_without_compare(patch):
    """Whoever sets a new epoch has won."""

    async def fence(self, expected, epoch):
        self.epoch = epoch
        return True

    patch.setattr(MemoryLog, "fence", fence)


def stale_end(patch):
    """An END that is still to come stays where it was when the log began anew."""
    patch.setattr(placing, "_end_anew", lambda subscription: None)


def forgetful_window(patch):
    """What a producer repeats is appended again."""
    patch.setattr(Window, "find", lambda self, producer: None)


# Where each must be caught. On a tape two of them show only after thousands of steps.
MUTANTS = {
    no_match: LIVE,
    no_gap_on_trim: LIVE,
    inclusive: ALL,
    no_boundary: ALL,
    shared_genesis: ALL,
    chain_of_numbers: ALL,
    divergence_is_a_duplicate: ALL,
    no_check_after_reconnect: {"valkey"},
    fence_without_compare: {"memory", "waiting"},
    stale_end: ALL,
    forgetful_window: {"memory", "waiting"},
}
