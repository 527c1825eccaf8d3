"""What was done in two sessions, side by side, and where they part."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal, NamedTuple

from sessions.core import differences
from sessions.core.differences import Difference

FAMILIES = ("message", "run", "tool_call", "approval", "artifact", "attachment", "error")
# What depends on workers and clocks, and not on what is done.
ASIDE = frozenset(
    {
        "message.updated",
        "run.started",
        "run.resumed",
        "run.released",
        "tool_call.approved",
        "approval.claimed",
    }
)
# Ids, times and costs are other ones in every session.
PASSING = frozenset(
    {
        *("message", "run", "tool_call", "approval", "parent", "artifact", "attachment", "call"),
        *("place", "attempt", "trigger", "digest", "effect_key", "effects", "expires_at", "fence"),
        *("duration_ms", "usage", "cost"),
    }
)
# What follows where they part is put side by side as far as this.
MOST = 500


class Step(NamedTuple):
    """Something that was done: its position, its type, and what counts of its data."""

    seq: int
    type: str
    data: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The same for the same things done."""
        return json.dumps([self.type, self.data], sort_keys=True, default=str)


class Pair(NamedTuple):
    """One line of the two; a side may have nothing."""

    left: Step | None
    right: Step | None

    @property
    def is_same(self) -> bool:
        """Whether the same was done on both sides."""
        return self.left is not None and self.right is not None and self.left.key == self.right.key

    @property
    def verdict(self) -> Literal["same", "differs", "left", "right"]:
        """Whether both did the same, something else, or which of them did it alone."""
        if self.left is None:
            return "right"
        if self.right is None:
            return "left"
        return "same" if self.is_same else "differs"

    def differences(self) -> list[Difference]:
        """What is otherwise, where both did something of the same type."""
        if self.left is None or self.right is None or self.left.type != self.right.type:
            return []
        return list(differences.between(self.left.data, self.right.data))


def counts(event_type: str) -> bool:
    """Whether an event of this type is compared: who came and went, and when, is not."""
    return event_type.partition(".")[0] in FAMILIES and event_type not in ASIDE


def step(seq: int, event_type: str, data: Mapping[str, Any]) -> Step:
    """An event as it is compared."""
    return Step(seq, event_type, {name: data[name] for name in data.keys() - PASSING})


def common(left: Sequence[Step], right: Sequence[Step]) -> int:
    """How many steps are the same until they part."""
    both = zip(left, right, strict=False)
    return next(
        (place for place, (one, other) in enumerate(both) if one.key != other.key),
        min(len(left), len(right)),
    )


def pairs(left: Sequence[Step], right: Sequence[Step]) -> list[Pair]:
    """Both side by side: step by step until they part, then what is the same beside its like."""
    same = common(left, right)
    rest = left[same : same + MOST], right[same : same + MOST]
    begun = [Pair(one, other) for one, other in zip(left[:same], right[:same], strict=True)]
    return [*begun, *_aligned(*rest)]


def _aligned(left: Sequence[Step], right: Sequence[Step]) -> Iterator[Pair]:
    keys = [one.key for one in left], [one.key for one in right]
    for _, begin, end, first, last in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        for one, other in zip_longest(left[begin:end], right[first:last]):
            yield Pair(one, other)
