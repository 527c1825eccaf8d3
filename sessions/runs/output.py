"""The one writer of a process for what its runs say."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import DatabaseError

from aegis_project.database import run_db
from sessions.core.run_log import Entry
from sessions.services import run_log
from sessions.services.run_log import Batch, Superseded
from sessions.services.working import Claimed

logger = logging.getLogger(__name__)

# Ahead of each group: as long as the last one took to write, within these bounds; after a silence
# the shortest.
SHORTEST_SECONDS, LONGEST_SECONDS = 0.005, 0.04
AGAIN_SECONDS = 0.5
# Entries that one run may be ahead of the database.
ROOM = 1000

Key = tuple[UUID, int]
Write = Callable[[Sequence[Batch]], dict[UUID, int]]


class Output:
    """
    What runs say, written in groups over all of them, each under the fence of its claim.

    An entry is written no later than 50 ms after it was said, and the time of a write; nobody
    reads it before.
    """

    def __init__(self, write: Write = run_log.write_all) -> None:
        self._write = write
        self._pending: dict[Key, list[Entry]] = defaultdict(list)
        self._writing: set[Key] = set()
        self._failed: dict[Key, BaseException] = {}
        self._said = asyncio.Event()
        self._written = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def say(self, claimed: Claimed, entry: Entry) -> None:
        """
        Let the run say something; waits while the database is far behind.

        :raises Superseded: once it is known that the run is not this worker's any more
        """
        key = (claimed.run_id, claimed.fence)
        self._refuse_if_failed(key)
        self._pending[key].append(entry)
        self._said.set()
        self._begin()
        if len(self._pending[key]) >= ROOM:
            async with self._written:
                await self._written.wait_for(lambda: len(self._pending[key]) < ROOM)
            self._refuse_if_failed(key)

    async def flush(self, claimed: Claimed) -> None:
        """
        Go on when everything that the run said is written.

        :raises Superseded: if the run is not this worker's any more
        """
        key = (claimed.run_id, claimed.fence)
        async with self._written:
            await self._written.wait_for(lambda: not self._is_open(key))
        self._refuse_if_failed(key)

    async def rest(self, claimed: Claimed) -> list[Entry]:
        """
        What the run said that is not written yet; whoever takes it writes it.

        :raises Superseded: if the run is not this worker's any more
        """
        key = (claimed.run_id, claimed.fence)
        async with self._written:
            await self._written.wait_for(lambda: key not in self._writing)
        self._refuse_if_failed(key)
        return self._pending.pop(key, [])

    def give_back(self, claimed: Claimed, entries: Sequence[Entry]) -> None:
        """Write after all what was taken as the rest."""
        if entries:
            self._put_back({(claimed.run_id, claimed.fence): list(entries)})
            self._begin()

    def forget(self, claimed: Claimed) -> None:
        """Let go of what is known of a claim that is over."""
        key = (claimed.run_id, claimed.fence)
        self._pending.pop(key, None)
        self._failed.pop(key, None)

    async def stop(self) -> None:
        """Write no more; whoever had something to say has flushed it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go(), name="aegis-output")

    def _is_open(self, key: Key) -> bool:
        return key in self._writing or bool(self._pending.get(key))

    def _refuse_if_failed(self, key: Key) -> None:
        if key in self._failed:
            raise self._failed[key]

    async def _go(self) -> None:
        loop = asyncio.get_running_loop()
        free_at = 0.0
        while True:
            await self._said.wait()
            # Also after a silence: who says a whole answer at once has it written at once.
            await asyncio.sleep(max(SHORTEST_SECONDS, free_at - loop.time()))
            self._said.clear()
            if not any(self._pending.values()):
                continue
            began = loop.time()
            pause = AGAIN_SECONDS
            if await self._group():
                pause = min(max(loop.time() - began, SHORTEST_SECONDS), LONGEST_SECONDS)
            async with self._written:
                self._written.notify_all()
            free_at = loop.time() + pause

    async def _group(self) -> bool:
        """Write all that is pending as one group; False when it has to be tried again."""
        group = {key: entries for key, entries in self._pending.items() if entries}
        self._writing = set(group)
        for key in group:
            del self._pending[key]
        batches = [Batch(run_id, fence, said) for (run_id, fence), said in group.items()]
        try:
            written = await run_db(self._write, batches)
        except DatabaseError as error:
            logger.warning("Runs could not write: %s", error, extra={"action": "output_failed"})
            self._put_back(group)
            return False
        except Exception as error:  # noqa: BLE001 -- the runs raise it, each its own
            self._failed |= dict.fromkeys(group, error)
        else:
            gone = [key for key in group if key[0] not in written]
            self._failed |= {key: Superseded(str(key[0])) for key in gone}
        finally:
            self._writing = set()
        return True

    def _put_back(self, group: dict[Key, list[Entry]]) -> None:
        for key, entries in group.items():
            self._pending[key] = entries + self._pending[key]
        self._said.set()
