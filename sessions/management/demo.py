"""The sessions that a newcomer finds running, and the programs that take part in them."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from components.models import Component
from components.services import credentials
from components.services.credentials import Issued
from components.services.registry import Expected
from sessions.core.flash_dip import words
from sessions.core.lifecycle import Environment, Kind
from sessions.management import children, demo_company, demo_reset, scenario
from sessions.management.children import Child
from sessions.management.demo_company import PRINCIPAL
from sessions.management.scenario import Pace, Part, Scenario
from sessions.models import Session
from sessions.services import creation, lifecycle, tags
from sessions.services.creation import Draft

# What the programs do beside their sockets: a checkpoint, a file, the two quiet sessions.
SCOPES = [
    "agents:read",
    "approvals:read",
    "components:read",
    "messages:read",
    "messages:write",
    "runs:read",
    "runs:write",
    "sessions:control",
    "sessions:read",
    "sessions:write",
]


class Demo:
    """One session with its programs; prepared before the server starts, played beside it."""

    def __init__(self, session: Session, played: Scenario, pace: Pace) -> None:
        self.session = session
        self.played = played
        self._pace = pace
        self._token = creation.issue_token(principal=PRINCIPAL, session=session)
        self._rest = _credential(session) if played.is_story else None
        self._chat = demo_reset.chat() if played.is_story else ""
        rows = Component.objects.of_session(session.pk)
        self._ids = {name: str(pk) for name, pk in rows.values_list("name", "pk")}
        self._children: list[Child] = []

    @property
    def approval_seconds(self) -> float:
        """How long it takes until somebody has to decide; 0 where nobody will."""
        return scenario.APPROVAL_SECONDS / self._pace.speed if self.played.is_story else 0.0

    def play(self, url: str) -> None:
        """Start the programs against the server that answers at ``url``."""
        self._children = [self._child(part, url) for part in self.played.parts]
        for child in self._children:
            child.start()

    def _child(self, part: Part, url: str) -> Child:
        return Child(
            part.name,
            ["sessions.management.leash", part.program, *self._arguments(part)],
            environment={**os.environ, **self._told(part, url)},
            log=settings.ENVIRONMENT.home / "logs" / f"{part.name}.log",
            is_wanted=self._is_open,
        )

    def _told(self, part: Part, url: str) -> Mapping[str, str]:
        return {
            "AEGIS_URL": url,
            "AEGIS_SESSION_TOKEN": self._token.secret,
            "AEGIS_COMPONENT_ID": self._ids.get(part.name, ""),
            "AEGIS_TOKEN": self._rest.secret if self._rest else "",
            "PYTHONUNBUFFERED": "1",
        }

    def _arguments(self, part: Part) -> list[str]:
        if not self.played.is_story:
            return list(part.arguments)
        told = {"session": self.session.pk, "speed": self._pace.speed, "seed": self._pace.seed}
        if part.companion is not None:
            told["companion"] = self._ids[part.companion[0]]
        if part is scenario.QUIET:
            told |= {"agents": settings.ENVIRONMENT.agents_prefix, "chat": self._chat}
        return [f"--{name}={value}" for name, value in told.items()]

    def _is_open(self) -> bool:
        """Whether the session still has a place for a program that ended; asked in its thread."""
        try:
            return Session.objects.open().filter(pk=self.session.pk).exists()
        except DatabaseError:
            return True
        finally:
            connection.close()

    def end(self) -> None:
        """End the programs; their secrets open nothing any more."""
        children.stop(self._children)
        issued = (one for one in (self._token, self._rest) if one is not None)
        with contextlib.suppress(DatabaseError):
            for one in issued:
                credentials.revoke(principal=PRINCIPAL, credential=one.credential.pk)


def _credential(session: Session) -> Issued:
    # A run that was killed revoked nothing, and another demo may go on beside this one.
    name = f"{words.TAG}-{secrets.token_hex(4)}"
    return credentials.issue(principal=PRINCIPAL, name=name, scopes=SCOPES, team_id=session.team_id)


@contextlib.contextmanager
def prepared(data: Path | None, pace: Pace | None = None) -> Iterator[Demo]:
    """
    The demo with a start requested, over the files of ``data`` or a simulated market.

    Its programs end with the block; the sessions stay as they are.

    :raises CannotServe: if there are no files in ``data``, or somebody has a name that it needs
    """
    pace = pace or Pace()
    played = scenario.STORY if data is None else scenario.replayed(data)
    if data is not None:
        name_dataset(data)
    demo = Demo(_session(played, pace), played, pace)
    try:
        _start(demo.session)
        yield demo
    finally:
        demo.end()


def _start(session: Session) -> None:
    if session.is_starting:
        # An earlier run ended meanwhile, and the time of its start is over or soon will be.
        lifecycle.pause(principal=PRINCIPAL, session=session, reason="aegis run")
    lifecycle.start(principal=PRINCIPAL, session=session, reason="aegis run")


def name_dataset(folder: Path) -> None:
    """Let sessions of this process, and of those it starts, replay this folder."""
    settings.DATASETS[scenario.DATASET] = folder.resolve()
    named = ",".join(f"{name}={path}" for name, path in settings.DATASETS.items())
    os.environ["AEGIS_DATASETS"] = named


def _session(played: Scenario, pace: Pace) -> Session:
    """The session of this scenario that is still open, else a new one; tagged, with its agents."""
    if played.is_story:
        demo_company.refuse_strangers()
    mine = Session.objects.open().filter(key__startswith=played.key, metadata=played.metadata)
    session = mine.order_by("-created_at").first() or _create(played)
    tags.put(principal=PRINCIPAL, session=session, names=[words.TAG])
    if played.is_story:
        demo_company.gather(session, speed=pace.speed)
    return session


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
        agent=played.agent,
        config=dict(played.config),
        metadata=dict(played.metadata),
    )
    expected = [one for part in played.parts for one in _expected(part)]
    return creation.create(principal=PRINCIPAL, draft=draft, expected=expected).session


def _expected(part: Part) -> Iterator[Expected]:
    if part.role is not None:
        yield Expected(part.name, part.role, required=part.required)
    if part.companion is not None:
        name, role = part.companion
        yield Expected(name, role, required=False)
