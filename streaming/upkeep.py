"""The periodic work on topics: rules, recording, cursors, losses, how long what is kept."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from aegis_project import slow
from aegis_project.database import read_db, run_db
from aegis_project.kit.errors import ServiceUnavailable
from streaming import metrics
from streaming.core.position import Position
from streaming.core.rules import TapeKeep
from streaming.engines.base import Key, Slice
from streaming.engines.recording import Recorder
from streaming.engines.tape import Group, Tape, Taped
from streaming.hints import Hint
from streaming.node import Node
from streaming.selectors import tape as taped_rows
from streaming.services import cursors, strains, tape_retention
from streaming.services import tape as tapes


class DatabaseTape(Tape):
    """The tape in the database, written under the lease of this process."""

    def __init__(self, lease_id: Callable[[], UUID | None]) -> None:
        self._lease_id = lease_id

    async def names(self, session_id: str) -> Collection[str]:
        return await read_db(taped_rows.names, session_id)

    async def find(self, key: Key) -> Taped:
        return await read_db(taped_rows.find, key)

    async def claim(self, key: Key, begin: Taped) -> Taped | None:
        return await run_db(tapes.claim, key=key, lease_id=self._lease(), begin=begin)

    async def write(self, groups: Sequence[Group]) -> list[Taped]:
        return await run_db(tapes.write, groups=groups, lease_id=self._lease())

    async def release(self, taped: Taped, *, is_recorded: bool) -> None:
        await run_db(tapes.release, taped=taped, is_recorded=is_recorded)

    async def read(self, taped: Taped, first: int, *, limit: int, max_bytes: int) -> Slice | None:
        return await read_db(taped_rows.records, taped, first, limit=limit, max_bytes=max_bytes)

    async def ck(self, taped: Taped, seq: int) -> bytes | None:
        return await read_db(taped_rows.ck, taped, seq)

    async def seq_at(self, taped: Taped, ts: int) -> int | None:
        return await read_db(taped_rows.seq_at, taped, ts)

    def _lease(self) -> UUID:
        found = self._lease_id()
        if found is None:
            raise ServiceUnavailable("The process has no lease.")
        return found


class RulesJob:
    """Read the topic rules of sessions again when they were changed."""

    name = "rules"
    period_seconds = 1.0

    async def run(self, node: Node) -> None:
        """Read those in doubt, of sessions that are served here."""
        node.hub.rules.tidy({session_id for session_id, _ in node.hub.board.lines})
        await node.hub.rules.renew()

    def wants(self, hint: Hint) -> bool:
        return hint.kind == "lever"


class RecordingJob:
    """Write what recorded topics gain to the tape."""

    name = "recording"
    period_seconds = 1.0

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def run(self, node: Node) -> None:
        """Write for ever; after a failure once more when the period is over."""
        await self._recorder.run()

    async def finish(self, node: Node) -> None:
        """Write the rest of it."""
        await self._recorder.flush()

    def wants(self, hint: Hint) -> bool:
        return False


class TapeJob:
    """Let tapes go by age and size, those that no living process holds too."""

    name = "tape"
    period_seconds = 60.0

    async def run(self, node: Node) -> None:
        """Look after each tape once; all work is done in slices."""
        if node.lease_id is None:
            return
        for log_id, key in await read_db(tape_retention.due, lease_id=node.lease_id):
            keep = (await node.hub.rules.peek(key[0])).of(key[1]).tape or TapeKeep()
            while await run_db(tape_retention.count, log_id=log_id, now=timezone.now()):
                pass
            now = timezone.now()
            taped = await run_db(tape_retention.expire, log_id=log_id, keep=keep, now=now)
            node.hub.cut(key, taped.start)
            while await run_db(tape_retention.remove, log_id=log_id):
                pass

    def wants(self, hint: Hint) -> bool:
        return False


class CursorsJob:
    """Write down what components have committed."""

    name = "cursors"
    period_seconds = 1.0

    def __init__(self) -> None:
        self._taken: dict[tuple[str, Key], Position] = {}

    async def run(self, node: Node) -> None:
        """Write it; what cannot be written now is, with what comes later."""
        for component_id, key, position in await node.hub.take_commits():
            self._taken[component_id, key] = position
        if self._taken:
            await run_db(cursors.store, [(*who, at) for who, at in self._taken.items()])
            self._taken.clear()

    def wants(self, hint: Hint) -> bool:
        return False


class StrainsJob:
    """Write down which statements were slow here, and who lost records."""

    name = "strains"
    period_seconds = 15.0

    async def run(self, node: Node) -> None:
        """Write what there is; what cannot be written now is, with what comes later."""
        statements, losses = slow.take(), node.hub.losses.take()
        if not statements and not losses:
            return
        try:
            await run_db(strains.write, statements=statements, losses=losses)
        except DatabaseError:
            slow.give_back(statements)
            node.hub.losses.give_back(losses)
            raise
        metrics.slow_statements.inc(sum(one.count for one in statements.values()))

    def wants(self, hint: Hint) -> bool:
        return False
