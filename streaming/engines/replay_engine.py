"""The engine of historical sources: the views of this process, and who waits for their clocks."""

import asyncio
from collections.abc import Collection, Iterable
from typing import ClassVar

from streaming.engines.base import Engine, Key, Log
from streaming.engines.replay import ReplayView
from streaming.engines.replay_log import ReplayLog


class ReplayEngine(Engine):
    """
    The logs of all source topics whose sessions have a view here.

    Whoever drives a session attaches its view before its topics are opened; a second view of the
    same session (a restart) takes over the logs of the first.
    """

    is_shared: ClassVar[bool] = True

    def __init__(self) -> None:
        self._views: dict[str, ReplayView] = {}
        self._logs: dict[Key, ReplayLog] = {}
        self._moved: set[Key] = set()
        self._signal = asyncio.Event()

    def attach(self, view: ReplayView) -> ReplayView | None:
        """Show the topics of this view; the session's view before it, for its owner to close."""
        before = self._views.get(view.session_id)
        self._views[view.session_id] = view
        for index, log in enumerate(view.logs):
            known = self._logs.setdefault(log.key, log)
            if known is not log:
                known.follow(log)
                view.logs[index] = known
        view.on_moved = self._note
        # The empty name tells those who wait for topics to become known.
        self._note([(view.session_id, ""), *(log.key for log in view.logs)])
        return before

    def view(self, session_id: str) -> ReplayView | None:
        """The view of a session, if it has one here."""
        return self._views.get(session_id)

    async def open(self, key: Key) -> Log | None:
        view = self._views.get(key[0])
        return self._logs[key] if view and key[1] in view.topics else None

    def names(self, session_id: str) -> Collection[str]:
        view = self._views.get(session_id)
        return view.topics if view else ()

    async def wait(self, keys: Collection[Key], timeout_seconds: float) -> set[Key]:
        wanted = set(keys)
        try:
            async with asyncio.timeout(timeout_seconds):
                while not (moved := wanted & self._moved):
                    self._signal.clear()
                    await self._signal.wait()
        except TimeoutError:
            return set()
        self._moved -= moved
        return moved

    async def forget(self, session_id: str) -> None:
        view = self._views.pop(session_id, None)
        if view:
            for log in view.logs:
                self._logs.pop(log.key, None)
                self._moved.discard(log.key)
            self._moved.discard((session_id, ""))
            view.on_moved = None
            await view.close()

    def _note(self, keys: Iterable[Key]) -> None:
        self._moved.update(keys)
        self._signal.set()
