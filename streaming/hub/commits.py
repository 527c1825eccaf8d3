"""What components say they have processed, until somebody stores it."""

from streaming.core.messages import Commit
from streaming.core.position import Position
from streaming.engines.base import Key
from streaming.hub.connection import Connection
from streaming.hub.line import Line
from streaming.hub.subscription import Subscription


class Commits:
    """The last committed place per component and topic; taking them empties the list."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, Key], tuple[Line, int]] = {}

    def note(self, connection: Connection, commit: Commit) -> None:
        """
        Open the window by what was processed.

        A place that was never delivered, or one already passed, changes nothing.
        """
        for name, seq in commit.pos.items():
            subscription = _named(connection, name)
            if subscription is not None and subscription.committed < seq < subscription.next:
                subscription.committed = seq
                line = subscription.line
                self._noted[connection.seat.component_id, line.key] = (line, seq)

    async def take(self) -> list[tuple[str, Key, Position]]:
        """The places noted since the last call, where their logs can still prove them."""
        noted, self._noted = self._noted, {}
        found = []
        for (component_id, key), (line, seq) in noted.items():
            ck = await line.log.match(seq)
            if ck is not None:
                found.append((component_id, key, Position(line.log.epoch, seq, ck)))
        return found


def _named(connection: Connection, name: str) -> Subscription | None:
    found = connection.subscriptions.get(name)
    if found is None and name.isdecimal():
        alias = int(name)
        held = connection.subscriptions.values()
        found = next((one for one in held if one.line.alias == alias), None)
    return found
