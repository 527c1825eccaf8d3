"""Two servers over a PostgreSQL and a Valkey of their own, any of which can be ended."""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.e2e import places
from tests.serving import Running, launch, start_server
from tests.stores import Postgres, Valkey


@dataclass
class Place:
    """Two servers over a PostgreSQL and a Valkey of their own."""

    database: Postgres
    valkey: Valkey
    servers: list[Running]


def begin(server: Running) -> None:
    """Start a server again, at its address and with its home."""
    port = str(urlsplit(server.url).port)
    again = launch(["aegis", "serve", "--port", port], server.home, server.environment)
    server.process = again.process


@contextlib.contextmanager
def placed() -> Iterator[Place]:
    """Start everything; it ends with the block."""
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(Postgres())
        store = stack.enter_context(Valkey())
        os.environ["AEGIS_TEST_DATABASE_URL"] = database.url
        # It was made in the PostgreSQL of the fault before.
        places.postgres_template.cache_clear()
        first = stack.enter_context(places.place("postgresql uvicorn"))
        settings = {**first.settings, "AEGIS_REDIS_URL": store.url}
        home = first.home.with_name("second")
        shutil.copytree(first.home, home)
        servers = [
            stack.enter_context(start_server(*one.arguments, home=one.home, **settings))
            for one in (first, dataclasses.replace(first, home=home))
        ]
        yield Place(database, store, servers)
