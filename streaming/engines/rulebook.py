"""The topic rules of the sessions that a process serves, read once and again when they change."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from streaming.core import rules
from streaming.core.rules import Rules

logger = logging.getLogger(__name__)

Load = Callable[[Collection[str]], Awaitable[Mapping[str, Any]]]
"""Gives ``config.topics`` of sessions by id, as they stand; a session that is not there is left out."""

OnChange = Callable[[str, Rules], None]
"""Is told that these are the rules of a session from now on."""


async def _nothing(_: Collection[str]) -> Mapping[str, Any]:
    return {}


class RuleBook:
    """
    Rules by session id.

    A hint about a session makes the next question read them again. A hint that anything moved
    comes often, and so waits for the next :meth:`renew`. All calls come from the node's loop.
    """

    def __init__(self, load: Load = _nothing) -> None:
        self._load = load
        self._known: dict[str, tuple[Any, Rules]] = {}
        self._doubted: set[str] = set()
        self._is_all_doubted = False
        self._listeners: list[OnChange] = []

    def listen(self, listener: OnChange) -> None:
        """Call ``listener`` when the rules of a session have changed since they were first read."""
        self._listeners.append(listener)

    async def of(self, session_id: str) -> Rules:
        """The rules of a session; does not suspend while they are known and nobody doubts them."""
        if not self.is_sure(session_id):
            await self._read({session_id})
        return self._known[session_id][1]

    def is_sure(self, session_id: str) -> bool:
        """Whether asking for the rules of a session does not suspend."""
        return session_id in self._known and session_id not in self._doubted

    async def peek(self, session_id: str) -> Rules:
        """The rules of a session that is not served here, not kept."""
        if session_id in self._known:
            return await self.of(session_id)
        return _rules(session_id, (await self._load((session_id,))).get(session_id))

    def known(self, session_id: str) -> Rules:
        """The rules as last read, without waiting; none for a session not asked about yet."""
        return self._known.get(session_id, (None, rules.NONE))[1]

    def hear(self, session_id: str) -> None:
        """Take the hint that a session was changed; with an empty id, any of them."""
        if session_id in self._known:
            self._doubted.add(session_id)
        self._is_all_doubted |= not session_id

    def tidy(self, used: Collection[str]) -> None:
        """
        Let go of the rules of all sessions but these; whoever asks reads them anew.

        Those that record are kept: their logs may be followed by nobody but the recorder.
        """
        for session_id in self._known.keys() - set(used):
            if not any(rule.recorded for rule in self.known(session_id).rules):
                self.forget(session_id)

    def holds(self, session_id: str) -> bool:
        """Whether the rules of a session are known, and their changes told."""
        return session_id in self._known

    async def renew(self) -> None:
        """Read again what is in doubt."""
        wanted = self._known.keys() if self._is_all_doubted else self._doubted
        self._is_all_doubted = False
        if wanted:
            await self._read(wanted)

    def forget(self, session_id: str) -> None:
        """Let go of the rules of a session."""
        self._known.pop(session_id, None)
        self._doubted.discard(session_id)

    async def _read(self, session_ids: Collection[str]) -> None:
        asked = tuple(session_ids)
        # Before it is read: a hint that comes meanwhile is about what this reading may miss.
        self._doubted.difference_update(asked)
        found = await self._load(asked)
        for session_id in asked:
            self._note(session_id, found.get(session_id))

    def _note(self, session_id: str, value: Any) -> None:
        before = self._known.get(session_id)
        if before is not None and before[0] == value:
            return
        self._known[session_id] = (value, _rules(session_id, value))
        if before is not None:
            for listener in self._listeners:
                listener(session_id, self._known[session_id][1])


def _rules(session_id: str, value: Any) -> Rules:
    try:
        return rules.read(value)
    except ValidationFailed as error:
        # They were checked when they were written; another version may have written them.
        extra = {"action": "rules_unreadable", "session_id": session_id, "field": error.details}
        logger.warning("The topic rules of a session cannot be read", extra=extra)
        return rules.NONE
