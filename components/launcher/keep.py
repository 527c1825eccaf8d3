"""What a launcher does for one launch, from its taking to its end."""

import asyncio
import contextlib
import logging
import subprocess
from collections.abc import Awaitable, Callable

from django.utils import timezone

from aegis_project.database import read_db, run_db
from components.core.launching import ALIVE, Exit, State
from components.launcher import notes, spawning
from components.launcher.link import Link, Message
from components.services import launches, processes
from components.services.launches import Held
from components.services.processes import Order

logger = logging.getLogger(__name__)

# A keeper hears of its launcher this often.
PING_SECONDS = 2.0
# How long a keeper that was just started may take until it listens.
LISTEN_SECONDS = 20.0
STEP_SECONDS = 0.02
LOOK_SECONDS = 1.0

# Where lines go; an OSError says that they did not get there.
Publish = Callable[[Held, list[Message]], Awaitable[None]]
TRIES = 3


class Keep:
    """
    One launch that this launcher holds; ``run`` ends when it has nothing to do for it any more.

    ``see`` tells what the row says, ``url`` where the server is, empty while nobody knows.
    """

    def __init__(self, held: Held, *, url: Callable[[], str], publish: Publish) -> None:
        self.held = held
        self.url, self.publish = url, publish
        self.folder, self.name = spawning.folder(), held.id.hex
        self._moved = asyncio.Event()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._lost = 0

    def see(self, held: Held) -> None:
        """Take in what the row says; what was read before the present attempt is old."""
        if held != self.held and held.attempt >= self.held.attempt:
            self.held = held
            self._moved.set()

    async def run(self) -> None:
        """Go on until the launch is nobody's, or another launcher's."""
        while (held := await self._look()) is not None:
            self.held = held
            self._moved.clear()
            link = await Link.open(self.folder, self.name)
            if link is not None:
                await self._attend(link)
            elif held.state in ALIVE:
                await self._bury(held)
            elif held.is_wanted:
                await self._begin(held)
            else:
                await run_db(processes.rest, held=held)

    async def _look(self) -> Held | None:
        return await read_db(launches.look, launch_id=self.held.id, fence=self.held.fence)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), seconds)

    # Beginning

    async def _begin(self, held: Held) -> None:
        pause = (held.next_at - timezone.now()).total_seconds() if held.next_at else 0.0
        url = self.url()
        if pause > 0 or not url:
            await self._wait(min(pause, LOOK_SECONDS) if pause > 0 else LOOK_SECONDS)
            return
        order = await run_db(processes.begin, held=held)
        if order is None:
            await self._wait(LOOK_SECONDS)
            return
        await self._spawn(held, order, url)

    async def _spawn(self, held: Held, order: Order, url: str) -> None:
        self._keeper = await asyncio.to_thread(spawning.spawn, held, order, url=url)
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + LISTEN_SECONDS
        while self._keeper.poll() is None and loop.time() < give_up_at:
            if (self.folder / f"{self.name}.sock").exists() and (
                notes.read(self.folder, self.name)["attempt"] >= order.attempt
            ):
                return
            await asyncio.sleep(STEP_SECONDS)

    # Living

    async def _attend(self, link: Link) -> None:
        """Be the launcher of a process until it ends, is lost, or is another launcher's."""
        try:
            await link.say(fence=self.held.fence)
            first = await link.hear()
            if first is not None:
                await self._follow(link, first)
        finally:
            link.close()

    async def _follow(self, link: Link, first: Message) -> None:
        is_ours = first["attempt"] == self.held.attempt and self.held.state in ALIVE
        if is_ours and not await run_db(processes.run, held=self.held, pid=first["pid"]):
            return
        ended = await self._end_of(link, is_ours=is_ours)
        if ended is None:
            return
        # The process of an attempt that counts no more ends without a word to the rows.
        if not is_ours or await run_db(processes.end, held=self.held, ended=ended):
            await link.say(bye=True)
            await self._collect()

    async def _end_of(self, link: Link, *, is_ours: bool) -> Exit | None:
        reading = asyncio.create_task(self._read(link))
        is_told = False
        try:
            while not reading.done():
                self._moved.clear()
                if not is_told and (not is_ours or self._is_over):
                    is_told = True
                    await self._stop(link, is_ours=is_ours)
                await link.say(ping=True)
                moving = asyncio.create_task(self._wait(PING_SECONDS))
                await asyncio.wait([reading, moving], return_when=asyncio.FIRST_COMPLETED)
                moving.cancel()
            return reading.result()
        finally:
            reading.cancel()

    @property
    def _is_over(self) -> bool:
        return not self.held.is_wanted or not self.held.is_fresh

    async def _stop(self, link: Link, *, is_ours: bool) -> None:
        if is_ours:
            await run_db(processes.stop, held=self.held)
        await link.say(stop=self.held.grace_seconds)

    async def _read(self, link: Link) -> Exit | None:
        while (message := await link.hear()) is not None:
            if "lines" in message:
                await self._pass_on(message["lines"])
                await link.say(taken=len(message["lines"]))
            if "exit" in message:
                return Exit(**message["exit"])
        return None

    async def _pass_on(self, lines: list[Message]) -> None:
        """Publish lines; what does not get through is counted and told by the next that do."""
        if self._lost:
            missing = f"{self._lost} lines were left out"
            told = {"stream": "launcher", "line": missing, "dropped": self._lost}
            lines = [{**told, "ts": lines[0]["ts"]}, *lines]
        for attempt in range(1, TRIES + 1):
            try:
                await self.publish(self.held, lines)
            except OSError as error:
                logger.info("Lines of a program were not taken: %s", error)
                await asyncio.sleep(STEP_SECONDS * 10**attempt / 2)
            else:
                self._lost = 0
                return
        self._lost = sum(line.get("dropped", 1) for line in lines)

    # Ending

    async def _bury(self, held: Held) -> None:
        """Find out what became of a process whose keeper does not answer."""
        if notes.is_kept(self.folder, self.name):
            await asyncio.sleep(STEP_SECONDS)
            return
        note = notes.read(self.folder, self.name)
        if note["attempt"] < held.attempt and held.state is State.STARTING and held.is_wanted:
            # Its keeper never came to it.
            await self._wait(LOOK_SECONDS)
            await self._begin(held)
            return
        notes.bury(note)
        seen = note["exit"] if note["attempt"] == held.attempt else None
        await run_db(processes.end, held=held, ended=Exit(**seen) if seen else Exit(None))
        await self._collect()

    async def _collect(self) -> None:
        if self._keeper is not None:
            await asyncio.to_thread(_wait_for, self._keeper)
            self._keeper = None


def _wait_for(keeper: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        keeper.wait(LISTEN_SECONDS)
