"""The launcher: it takes launches that nobody keeps, and does for each what its row says."""

import asyncio
import hashlib
import logging
import socket
from collections.abc import Callable
from uuid import UUID

from django.conf import settings

from aegis_project.database import read_db, run_db
from components.launcher.keep import Keep, Publish
from components.services import launches
from components.services.launches import Held
from streaming.hints import Hint
from streaming.node import Node

logger = logging.getLogger(__name__)


def place() -> str:
    """
    Where the processes of this launcher are: the machine and the folder of their keepers.

    The folder is told from others, and its path is nobody's business.
    """
    home = str(settings.ENVIRONMENT.home.resolve()).encode()
    return f"{socket.gethostname()}:{hashlib.sha256(home).hexdigest()[:12]}"


class Launcher:
    """
    Keep programs for as long as their sessions want them.

    ``url`` tells where the server is, empty while nobody knows; ``publish`` takes what programs
    print. Processes live on when a launcher ends: the next one of this place goes on with them.
    """

    name = "launcher"
    period_seconds = 1.0

    def __init__(self, *, url: Callable[[], str], publish: Publish) -> None:
        self.url, self.publish = url, publish
        self._keeps: dict[UUID, tuple[Keep, asyncio.Task[None]]] = {}

    def wants(self, hint: Hint) -> bool:
        return hint.kind in {"lever", "moved"}

    async def run(self, node: Node) -> None:
        """Take what is free, go on with what is held, let go of what was lost."""
        if node.lease_id is None or node.is_draining:
            return
        await run_db(launches.unwant)
        patience = settings.ENVIRONMENT.launcher_patience_seconds
        await run_db(launches.take, lease_id=node.lease_id, host=place(), patience_seconds=patience)
        held = {one.id: one for one in await read_db(launches.held, lease_id=node.lease_id)}
        for lost in self._keeps.keys() - held.keys():
            self._keeps[lost][1].cancel()
        for one in held.values():
            self._see(one)

    def _see(self, held: Held) -> None:
        found = self._keeps.get(held.id)
        if found is not None and found[0].held.fence == held.fence:
            found[0].see(held)
            return
        if found is not None:
            # It was taken anew; the next turn begins when this one has let go.
            found[1].cancel()
            return
        keep = Keep(held, url=self.url, publish=self.publish)
        task = asyncio.create_task(self._keep(keep), name=f"aegis-launch-{held.id}")
        self._keeps[held.id] = keep, task
        task.add_done_callback(lambda _: self._keeps.pop(held.id, None))

    async def _keep(self, keep: Keep) -> None:
        try:
            await keep.run()
        except Exception:  # the row stands, and the next turn takes it up again
            logger.exception("A launch failed", extra={"action": "launch_failed"})

    async def stop(self) -> None:
        """Let go of everything; the processes stay for the launcher that comes next."""
        tasks = [task for _, task in self._keeps.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
