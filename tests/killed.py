"""Workers that are killed: a process that is ready forks one for each turn, which carries calls out."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NoReturn
from uuid import UUID

from tests.elsewhere import ROOT, address


class Nest:
    """The process that the workers come from."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def hatch(self, run: UUID, fence: int, url: str) -> int:
        """Begin a worker for the calls of a claimed run; its process id."""
        return int(self._ask(f"{run} {fence} {url}"))

    def kill(self, pid: int) -> None:
        """kill -9, unless it has ended by itself."""
        # It is not waited for yet, so that the number is still its own.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def buried(self) -> str:
        """Wait for the worker of this turn to be gone; how it ended."""
        return self._ask("wait")

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer, "The nest is gone."
        return answer


@contextlib.contextmanager
def nest() -> Iterator[Nest]:
    """A process on the database of this test."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.killed"],
        cwd=ROOT,
        env=os.environ | {"AEGIS_DATABASE_URL": address()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            found = Nest(process)
            found._ask("hello")
            yield found
        finally:
            process.kill()


# In the other process


def main() -> None:
    import django  # noqa: PLC0415 -- app ready

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis_project.settings")
    django.setup()
    # What a worker needs is there before it is forked, and no connection is.
    import httpx2  # noqa: PLC0415 -- app ready

    from sessions import toolbox  # noqa: PLC0415 -- app ready
    from sessions.runs import calling  # noqa: PLC0415 -- app ready

    child, loaded = 0, (httpx2, toolbox, calling)
    for line in sys.stdin:
        words = line.split()
        if words == ["hello"]:
            say(f"ready with {len(loaded)}")
        elif words == ["wait"]:
            say(str(os.waitpid(child, 0)[1]))
        else:
            child = os.fork() or work(*words)
            say(str(child))


def work(run: str, fence: str, url: str) -> NoReturn:
    """Carry out the approved calls of a run, as a worker does."""
    status = 1
    try:
        asyncio.run(carry_out(run, int(fence), url))
        status = 0
    finally:
        os._exit(status)


async def carry_out(run_id: str, fence: int, url: str) -> None:
    import httpx2  # noqa: PLC0415 -- slow import

    from aegis_project.database import read_db  # noqa: PLC0415 -- app ready
    from sessions.agent.tools import Call  # noqa: PLC0415 -- app ready
    from sessions.runs import reading  # noqa: PLC0415 -- app ready
    from sessions.runs.calling import Calls  # noqa: PLC0415 -- app ready
    from sessions.toolbox import tool  # noqa: PLC0415 -- app ready
    from sessions.toolbox.box import Box  # noqa: PLC0415 -- app ready

    async def effect(path: str, call: Call) -> Any:
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            answer = await client.post(f"{url}{path}", json={"key": call.effect_key})
            return {"status": answer.status_code}

    @tool(risk="high", timeout_seconds=60)
    async def order(call: Call) -> Any:
        """Order something: twice is twice."""
        return await effect("/order", call)

    @tool(risk="high", timeout_seconds=60, is_idempotent=True)
    async def put(call: Call) -> Any:
        """Put something in its place: twice is once, by the key."""
        return await effect("/put", call)

    found = await read_db(reading.situation, UUID(run_id))
    box = Box([order.tool(), put.tool()])
    await Calls(found.run, fence=fence, box=box).carry_out(found.approved)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
