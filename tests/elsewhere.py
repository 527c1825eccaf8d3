"""A second process on the database of a test: it does one thing when told, and ends."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

ROOT = Path(__file__).parents[1]


class Process:
    """A process that is ready to do its thing."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "The other process ended before its time."
        return line.strip()

    def go(self) -> None:
        """Let it do its thing."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        """What it said after it was done."""
        return self._line()


@contextlib.contextmanager
def ready(task: str, *arguments: str) -> Iterator[Process]:
    """Start a process that waits to do one of the tasks below."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.elsewhere", task, *arguments],
        cwd=ROOT,
        env=os.environ | {"AEGIS_DATABASE_URL": address()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Process(process)
        finally:
            process.kill()


def address() -> str:
    """The URL of the database that this test uses."""
    from django.db import connection  # noqa: PLC0415 -- app ready

    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite://{quote(str(found['NAME']))}"
    user = f"{quote(found['USER'])}:{quote(found['PASSWORD'])}".rstrip(":")
    return f"postgresql://{user}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


# In the other process


def pause(session: str) -> str:
    from sessions.services import lifecycle  # noqa: PLC0415 -- app ready
    from tests.factories import OPERATOR  # noqa: PLC0415 -- app ready

    return lifecycle.pause(principal=OPERATOR, session=session).session.state


def write(session: str, processes: str, count: str) -> str:
    """Write events in as many processes, forked before any has a connection."""
    children = [os.fork() or _write(session, int(count)) for _ in range(int(processes))]
    ends = [os.waitpid(child, 0)[1] for child in children]
    return f"written by {ends.count(0)} of {len(ends)}"


def _write(session: str, count: int) -> NoReturn:
    from aegis_project import database  # noqa: PLC0415 -- app ready
    from streaming.services import ledger  # noqa: PLC0415 -- app ready

    status = 1
    try:
        for number in range(count):
            with database.atomic():
                ledger.append(session_id=session, type="test.written", actor="test", number=number)
        status = 0
    finally:
        os._exit(status)


TASKS: dict[str, Callable[..., str]] = {"pause": pause, "write": write}


def main(task: str, *arguments: str) -> None:
    import django  # noqa: PLC0415 -- app ready

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis_project.settings")
    django.setup()
    say("ready")
    sys.stdin.readline()
    say(TASKS[task](*arguments))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
