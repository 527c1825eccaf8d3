"""The connections of a process, by component and by session."""

from collections.abc import Collection, Iterator

from streaming.core.errors import ConnectionReplaced, OverCapacity
from streaming.hub.connection import Connection


class Seats:
    """One connection per component: the one of the newest registration, the newest of that."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._components: dict[str, Connection] = {}
        self._sessions: dict[str, dict[Connection, None]] = {}
        # Those that have subscribed with wildcards, some of whom do not any more.
        self.wide: set[Connection] = set()

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._components.values()))

    def __len__(self) -> int:
        return len(self._components)

    def admit(self, connection: Connection) -> None:
        """
        Give a connection its place; an older one of the same component is closed.

        :raises ConnectionReplaced: when that one belongs to a newer registration
        :raises OverCapacity: when the process holds as many as it may
        """
        seat = connection.seat
        older = self._components.get(seat.component_id)
        if older is not None and older.seat.fence > seat.fence:
            raise ConnectionReplaced
        if older is None and len(self._components) >= self._most:
            raise OverCapacity
        if older is not None:
            self.leave(older)
            older.refuse(ConnectionReplaced())
        self._components[seat.component_id] = connection
        self._sessions.setdefault(seat.session_id, {})[connection] = None

    def leave(self, connection: Connection) -> None:
        """Give up a place."""
        seat = connection.seat
        if self._components.get(seat.component_id) is connection:
            del self._components[seat.component_id]
        held = self._sessions.get(seat.session_id, {})
        held.pop(connection, None)
        if not held:
            self._sessions.pop(seat.session_id, None)

    def of(self, component_id: str, *, fence: int | None = None) -> Connection | None:
        """The connection of a component, if it belongs to this registration or an older one."""
        found = self._components.get(component_id)
        if found is None or (fence is not None and found.seat.fence > fence):
            return None
        return found

    def in_session(self, session_id: str) -> Collection[Connection]:
        """The connections of a session."""
        return tuple(self._sessions.get(session_id, ()))

    def components(self) -> list[str]:
        """Who is connected, by id."""
        return list(self._components)

    def tokens(self) -> dict[Connection, str]:
        """The credentials of the connections that have one other than their component's."""
        return {one: one.seat.token_id for one in self._components.values() if one.seat.token_id}

    def wide_sessions(self) -> list[str]:
        """The sessions in which somebody subscribed with wildcards."""
        self.wide = {one for one in self.wide if one.patterns}
        return sorted({one.seat.session_id for one in self.wide})
