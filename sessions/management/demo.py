"""The session that a newcomer finds running, and the three programs that take part in it."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from aegis_project.kit import principal as principals
from components.core.lifecycle import Role
from components.models import Component
from components.services import credentials
from components.services.registry import Expected
from sessions.core.lifecycle import Environment, Kind
from sessions.management import children
from sessions.management.children import Child
from sessions.models import Session
from sessions.services import creation, lifecycle
from sessions.services.creation import Draft

PRINCIPAL = principals.system("run")
KEY = "btc-demo"
# What a newcomer is told to look at in a terminal.
PRICES = "trades.BTCUSDT"


@dataclass(frozen=True, slots=True)
class Part:
    """A component of the demo and the program that plays it."""

    name: str
    role: Role

    @property
    def program(self) -> str:
        """Where the program is, from the root of the checkout."""
        return f"examples/{self.name}.py"

    @property
    def log(self) -> Path:
        """Where its output goes."""
        home: Path = settings.ENVIRONMENT.home
        return home / "logs" / f"{self.name}.log"


FEED = Part("feed", Role.FEED)
STRATEGY = Part("strategy", Role.STRATEGY)
SINK = Part("sink", Role.SINK)
PARTS = (FEED, STRATEGY, SINK)


class Demo:
    """One session with its programs; prepared before the server starts, played beside it."""

    def __init__(self, session: Session, parts: tuple[Part, ...]) -> None:
        self.session = session
        self.parts = parts
        self._token = creation.issue_token(principal=PRINCIPAL, session=session)
        rows = Component.objects.of_session(session.pk)
        self._ids = {name: str(pk) for name, pk in rows.values_list("name", "pk")}
        self._children: list[Child] = []

    def play(self, url: str) -> None:
        """Start the programs against the server that answers at ``url``."""
        self._children = [self._child(part, url) for part in self.parts]
        for child in self._children:
            child.start()

    def _child(self, part: Part, url: str) -> Child:
        told = {
            "AEGIS_URL": url,
            "AEGIS_SESSION_TOKEN": self._token.secret,
            "AEGIS_COMPONENT_ID": self._ids[part.name],
            "PYTHONUNBUFFERED": "1",
        }
        return Child(
            part.name,
            ["sessions.management.leash", part.program],
            environment={**os.environ, **told},
            log=part.log,
        )

    def end(self) -> None:
        """End the programs; their token opens nothing any more."""
        children.stop(self._children)
        with contextlib.suppress(DatabaseError):
            credentials.revoke(principal=PRINCIPAL, credential=self._token.credential.pk)


@contextlib.contextmanager
def prepared(data: Path | None) -> Iterator[Demo]:
    """
    The demo with a start requested, over the files of ``data`` or a simulated feed.

    Its programs end with the block; the session stays as it is.
    """
    demo = Demo(_session(), PARTS)
    try:
        lifecycle.start(principal=PRINCIPAL, session=demo.session, reason="aegis run")
        yield demo
    finally:
        demo.end()


def _session() -> Session:
    """The demo session that is still open, else a new one."""
    mine = Session.objects.open().filter(metadata__demo=True, key__startswith=KEY)
    found = mine.order_by("-created_at").first()
    return found or _create()


def _create() -> Session:
    taken = set(Session.objects.present().filter(key__startswith=KEY).values_list("key", flat=True))
    free = (key for n in range(1, len(taken) + 2) if (key := _numbered(n)) not in taken)
    draft = Draft(
        key=next(free),
        name="BTC moving average",
        kind=Kind.STREAM,
        environment=Environment.TEST,
        metadata={"demo": True},
    )
    expected = [Expected(part.name, part.role) for part in PARTS]
    return creation.create(principal=PRINCIPAL, draft=draft, expected=expected).session


def _numbered(n: int) -> str:
    return KEY if n == 1 else f"{KEY}-{n}"
