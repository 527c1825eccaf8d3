"""Where the end-to-end tests run: SQLite or PostgreSQL, uvicorn or daphne."""

import contextlib
import functools
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from tests.serving import PREPARE, Running, clean, manage, prepared, start_server

# Short, and yet long enough for test processes that share few cores.
FAST = {
    "AEGIS_HEARTBEAT_SECONDS": "0.25",
    "AEGIS_LOST_SECONDS": "2",
    "AEGIS_GRACE_SECONDS": "5",
    "AEGIS_SETTLING_SECONDS": "0",
}

SQLITE = pytest.param("sqlite uvicorn", id="sqlite-uvicorn")
DAPHNE = pytest.param("sqlite daphne", id="sqlite-daphne", marks=pytest.mark.servers)
POSTGRES = pytest.param("postgresql uvicorn", id="postgresql-uvicorn", marks=pytest.mark.servers)
EVERYWHERE = [SQLITE, DAPHNE, POSTGRES]


@dataclass(frozen=True)
class Place:
    """A database and home of their own, on which a server can be started again and again."""

    home: Path
    arguments: tuple[str, ...]
    settings: dict[str, str]

    @contextlib.contextmanager
    def serve(self, *arguments: str, **settings: str) -> Iterator[Running]:
        """A server here, with the short periods of :data:`FAST` unless told otherwise."""
        given = {**FAST, **self.settings, **settings}
        with start_server(*self.arguments, *arguments, home=self.home, **given) as running:
            yield running


@contextlib.contextmanager
def place(kind: str = "sqlite uvicorn") -> Iterator[Place]:
    """A fresh place of this kind."""
    database, server = kind.split()
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="aegis-e2e-", ignore_cleanup_errors=True)
        home = Path(stack.enter_context(folder)) / "home"
        shutil.copytree(prepared(), home)
        settings = {}
        if database == "postgresql":
            url, token = stack.enter_context(postgres())
            settings["AEGIS_DATABASE_URL"] = url
            (home / "token").write_text(token)
        yield Place(home, ("--server", server), settings)


@contextlib.contextmanager
def postgres() -> Iterator[tuple[str, str]]:
    """The URL of a PostgreSQL database with all tables, and a secret that may do everything."""
    template, token = postgres_template()
    name = f"e2e_{secrets.token_hex(6)}"
    with psycopg.connect(os.environ["AEGIS_TEST_DATABASE_URL"], autocommit=True) as connection:
        form = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(form.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield address(name), token
    finally:
        with psycopg.connect(os.environ["AEGIS_TEST_DATABASE_URL"], autocommit=True) as connection:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))


@functools.cache
def postgres_template() -> tuple[str, str]:
    """A database that others are copied from, made once for this test process."""
    name = f"e2e_{secrets.token_hex(6)}"
    with psycopg.connect(os.environ["AEGIS_TEST_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    environment = {
        **clean(),
        "AEGIS_HOME": tempfile.mkdtemp(dir=os.environ["TESTS_HOME"]),
        "AEGIS_DATABASE_URL": address(name),
    }
    return name, manage(environment, "shell", "-v", "0", "-c", PREPARE).split()[-1]


def address(name: str) -> str:
    """The URL of a database on the PostgreSQL of the tests."""
    return urlunsplit(urlsplit(os.environ["AEGIS_TEST_DATABASE_URL"])._replace(path=f"/{name}"))
