"""The engine of historical sources: the views of this process, and who waits for their clocks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import ClassVar

from aegis_project.kit.errors import AegisError
from streaming.engines.base import Engine, Key, Log
from streaming.engines.replay import ReplayView
from streaming.engines.replay_log import ReplayLog

Load = Callable[[str], Awaitable[ReplayView | None]]


class ReplayEngine(Engine):
    """
    The logs of all source topics whose sessions have a view here.

    ``load`` makes the view of a session when a topic of it is first asked for, ``None`` for a
    session without a source. A second view of the same session (a restart) takes over the logs
    of the first.
    """

    is_shared: ClassVar[bool] = True

    def __init__(self, *, load: Load) -> None:
        self._load = load
        self._loads: dict[str, asyncio.Task[ReplayView | None]] = {}
        self._without: set[str] = set()
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

    @property
    def sessions(self) -> Collection[str]:
        """The sessions that have a view here."""
        return tuple(self._views)

    async def view(self, session_id: str) -> ReplayView | None:
        """
        The view of a session, loaded now if it was not; None for one without a source.

        :raises AegisError: when its files cannot be found or read
        """
        if session_id in self._views or session_id in self._without:
            return self._views.get(session_id)
        task = self._loads.get(session_id)
        if task is None:
            task = self._loads[session_id] = asyncio.create_task(self._attach_loaded(session_id))
            task.add_done_callback(lambda _: self._loads.pop(session_id, None))
        # Who asks may give up; the others that wait for the same view must not notice.
        return await asyncio.shield(task)

    async def _attach_loaded(self, session_id: str) -> ReplayView | None:
        view = await self._load(session_id)
        if view is None:
            self._without.add(session_id)
        else:
            self.attach(view)
        return view

    async def open(self, key: Key) -> Log | None:
        view = await self.view(key[0])
        return self._logs.get(key) if view and key[1] in view.topics else None

    def names(self, session_id: str) -> Collection[str]:
        view = self._views.get(session_id)
        return view.topics if view else ()

    async def wait(self, keys: Collection[Key], timeout_seconds: float) -> set[Key]:
        await self._meet(keys)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while not self._moved.intersection(keys):
                    self._signal.clear()
                    await self._signal.wait()
                    # Somebody may want more by now.
                    await self._meet(keys)
        # Also when the time is over: what moved at the last moment counts.
        moved = self._moved.intersection(keys)
        self._moved -= moved
        return {key for session_id, name in moved for key in self._named(session_id, name)}

    async def _meet(self, keys: Collection[Key]) -> None:
        # Whoever asks for a pattern has named no topic by which the view would be loaded.
        for session_id in {session_id for session_id, name in keys if not name}:
            # Without its files it has no topics yet; it is the start that is refused then.
            with contextlib.suppress(AegisError):
                await self.view(session_id)

    def _named(self, session_id: str, name: str) -> Collection[Key]:
        if name:
            return [(session_id, name)]
        return [(session_id, topic) for topic in self.names(session_id)]

    async def forget(self, session_id: str) -> None:
        if task := self._loads.get(session_id):
            # Else it would attach a view that nobody lets go of.
            await asyncio.gather(task, return_exceptions=True)
        self._without.discard(session_id)
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
