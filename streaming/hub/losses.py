"""What subscribers did not get although they wanted it."""

from typing import NamedTuple

from aegis_project.kit.strains import Tally
from streaming.core.resume import Gap
from streaming.engines.base import Key

MOST = 50
# Who conflates or seeks has asked for the holes; these are what somebody was too late for.
LOST = frozenset({"overrun", "retention", "cut"})


class Loss(NamedTuple):
    """Who lost something of which topic."""

    session_id: str
    topic: str
    component_id: str


OTHERS = Loss("", "others", "")


class Losses(Tally[Loss]):
    """The records that were lost here, by topic and component."""

    def __init__(self) -> None:
        super().__init__(most=MOST, rest=OTHERS)

    def add(self, key: Key, component_id: str, gap: Gap) -> None:
        """Count a hole that was told, if it is a loss."""
        if gap.reason in LOST:
            self.note(Loss(*key, component_id), count=gap.count)
