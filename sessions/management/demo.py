"""The session that a newcomer finds running, and the programs that take part in it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from aegis_project.kit import principal as principals
from components.models import Component
from components.services import credentials
from components.services.registry import Expected
from sessions.core.lifecycle import Environment, Kind
from sessions.management import children, scenario
from sessions.management.children import Child
from sessions.management.scenario import Part, Scenario
from sessions.models import Session
from sessions.services import creation, lifecycle
from sessions.services.creation import Draft

PRINCIPAL = principals.system("run")


class Demo:
    """One session with its programs; prepared before the server starts, played beside it."""

    def __init__(self, session: Session, played: Scenario) -> None:
        self.session = session
        self.played = played
        self._token = creation.issue_token(principal=PRINCIPAL, session=session)
        rows = Component.objects.of_session(session.pk)
        self._ids = {name: str(pk) for name, pk in rows.values_list("name", "pk")}
        self._children: list[Child] = []

    def play(self, url: str) -> None:
        """Start the programs against the server that answers at ``url``."""
        self._children = [self._child(part, url) for part in self.played.parts]
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
            ["sessions.management.leash", part.program, *part.arguments],
            environment={**os.environ, **told},
            log=settings.ENVIRONMENT.home / "logs" / f"{part.name}.log",
            is_wanted=self._is_open,
        )

    def _is_open(self) -> bool:
        """Whether the session still has a place for a program that ended; asked in its thread."""
        try:
            return Session.objects.open().filter(pk=self.session.pk).exists()
        except DatabaseError:
            return True
        finally:
            connection.close()

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

    :raises CannotServe: if there are no files in ``data``
    """
    played = scenario.SIMULATED if data is None else scenario.replayed(data)
    if data is not None:
        name_dataset(data)
    demo = Demo(_session(played), played)
    try:
        lifecycle.start(principal=PRINCIPAL, session=demo.session, reason="aegis run")
        yield demo
    finally:
        demo.end()


def name_dataset(folder: Path) -> None:
    """Let sessions of this process, and of those it starts, replay this folder."""
    settings.DATASETS[scenario.DATASET] = folder.resolve()
    named = ",".join(f"{name}={path}" for name, path in settings.DATASETS.items())
    os.environ["AEGIS_DATASETS"] = named


def _session(played: Scenario) -> Session:
    """The session of this scenario that is still open, else a new one."""
    mine = Session.objects.open().filter(key__startswith=played.key, metadata=played.metadata)
    found = mine.order_by("-created_at").first()
    return found or _create(played)


def _create(played: Scenario) -> Session:
    present = Session.objects.present().filter(key__startswith=played.key)
    taken = set(present.values_list("key", flat=True))
    keys = (played.key if n == 1 else f"{played.key}-{n}" for n in range(1, len(taken) + 2))
    draft = Draft(
        key=next(key for key in keys if key not in taken),
        name=played.name,
        kind=Kind.STREAM,
        mode=played.mode,
        environment=Environment.TEST,
        config=dict(played.config),
        metadata=dict(played.metadata),
    )
    expected = [Expected(part.name, part.role) for part in played.parts]
    return creation.create(principal=PRINCIPAL, draft=draft, expected=expected).session
