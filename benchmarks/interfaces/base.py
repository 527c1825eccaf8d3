"""What an interface has to do to be measured; all have the same addresses."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from benchmarks import machine, processes
from benchmarks.chats.base import JSON, Caller
from tests.serving import PREPARE, clean, manage
from tests.stores import Postgres

SESSIONS = "/api/v1/sessions"
PAGE = 20
NEW = orjson.dumps({"name": "Beside others", "agent": "words", "metadata": {"ticket": 7}})


@dataclass(frozen=True, slots=True)
class Store:
    """A PostgreSQL with all tables; ``environment`` names it, ``token`` may do everything."""

    url: str
    home: Path
    token: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a process over it."""
        return {"AEGIS_DATABASE_URL": self.url, "AEGIS_HOME": str(self.home)}


@contextlib.contextmanager
def store(folder: Path) -> Iterator[Store]:
    """A PostgreSQL on the core that is not the servers'."""
    _, other = machine.cores()
    with machine.pinned(other), Postgres() as server:
        home = folder / "home"
        home.mkdir()
        environment = {**clean(), "AEGIS_HOME": str(home), "AEGIS_DATABASE_URL": server.url}
        token = manage(environment, "shell", "-v", "0", "-c", PREPARE).split()[-1]
        (home / "token").write_text(token)
        yield Store(server.url, home, token)


@dataclass(slots=True)
class Live:
    """An interface while it runs; ``pid`` is the process whose CPU time counts."""

    pid: int
    caller: Caller

    def create(self) -> str:
        """Make a session: four rows in one transaction; its id."""
        return str(self.caller.call("POST", SESSIONS, NEW, JSON)["id"])

    def read(self, session: str) -> None:
        """Read one."""
        assert self.caller.call("GET", f"{SESSIONS}/{session}")["id"] == session

    def list(self) -> None:
        """Read the first page, the newest first."""
        found = self.caller.call("GET", f"{SESSIONS}?limit={PAGE}")
        rows = found if isinstance(found, list) else found.get("data") or found["results"]
        assert len(rows) == PAGE


class Interface(Protocol):
    """One that may be started; ``lacks`` says what is not installed, if anything."""

    @property
    def name(self) -> str: ...

    @property
    def lacks(self) -> str: ...

    def running(self, over: Store) -> AbstractContextManager[Live]: ...


@contextlib.contextmanager
def beside(command: list[str], over: Store) -> Iterator[Live]:
    """One of the others, which prints the port that it took."""
    environment = {**over.environment, "PYTHONPATH": os.fspath(processes.ROOT)}
    with processes.serving(command, **environment) as running:
        yield Live(running.pid, caller(running.port, over))


def caller(port: int, over: Store) -> Caller:
    """A program with a credential and one kept connection."""
    return Caller(port, {"Authorization": f"Bearer {over.token}"})
