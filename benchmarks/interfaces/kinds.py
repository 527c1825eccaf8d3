"""The three that are measured beside each other."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import machine
from benchmarks.interfaces import base
from benchmarks.interfaces.base import Live, Store
from tests.serving import start_server

APPS = Path(__file__).parent / "apps"


@dataclass(frozen=True, slots=True)
class Aegis:
    """`aegis serve`, with a credential like any program's."""

    name: str = "Aegis"
    lacks: str = ""

    @contextlib.contextmanager
    def running(self, over: Store) -> Iterator[Live]:
        core, _ = machine.cores()
        with contextlib.ExitStack() as stack:
            with machine.pinned(core):
                started = start_server(home=over.home, AEGIS_DATABASE_URL=over.url)
                running = stack.enter_context(started)
            port = urlsplit(running.url).port or 0
            yield Live(running.process.pid, base.caller(port, over))


@dataclass(frozen=True, slots=True)
class Default:
    """Django REST framework as it comes: a ModelViewSet and a ModelSerializer, on uvicorn."""

    name: str = "DRF ModelViewSet"
    lacks: str = ""

    @contextlib.contextmanager
    def running(self, over: Store) -> Iterator[Live]:
        with base.beside([sys.executable, "-m", "benchmarks.interfaces.apps.drf"], over) as live:
            yield live


@dataclass(frozen=True, slots=True)
class FastApi:
    """FastAPI with the asyncio of SQLAlchemy, on uvicorn; in an environment ``fastapi``."""

    peers: str
    name: str = "FastAPI + SQLAlchemy"

    @property
    def lacks(self) -> str:
        if not self._python.exists():
            return "no environment with fastapi in --peers"
        ran = subprocess.run(
            [self._python, "-c", "import asyncpg, fastapi, sqlalchemy, uvicorn"],
            capture_output=True,
            check=False,
        )
        return "fastapi is not installed" if ran.returncode else ""

    @property
    def _python(self) -> Path:
        return Path(self.peers).resolve() / "fastapi" / "bin" / "python"

    @contextlib.contextmanager
    def running(self, over: Store) -> Iterator[Live]:
        with base.beside([str(self._python), str(APPS / "fast.py"), over.url], over) as live:
            yield live
