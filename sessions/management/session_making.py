"""Making a session from what was said at the command line, with a template or without."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aegis_project import database
from aegis_project.kit.principal import Principal
from components.services.registry import Expected
from sessions.core.lifecycle import Environment, Kind, Mode
from sessions.management.output import Misused
from sessions.services import applying, creation, tags
from sessions.services.applying import Wishes
from sessions.services.creation import Draft
from sessions.services.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a new session; what was not is as its template or Aegis has it."""

    template: str
    key: str
    name: str
    kind: Kind | None
    mode: Mode | None
    environment: Environment | None
    agent: str
    team: str
    objects: dict[str, Any]
    expected: Sequence[Expected]
    tags: Sequence[str]


def make(principal: Principal, said: Said, *, with_token: bool) -> Outcome:
    """
    The session in ``created``.

    :raises Misused: for a kind beside a template, which has one
    :raises AegisError: as the services do
    """
    if said.template:
        return _apply(principal, said, with_token=with_token)
    draft = Draft(
        key=said.key,
        name=said.name,
        kind=said.kind or (Kind.CHAT if said.agent else Kind.STREAM),
        mode=said.mode or Mode.REALTIME,
        environment=said.environment or Environment.DEVELOPMENT,
        agent=said.agent,
        team=said.team,
        **said.objects,
    )
    with database.atomic():
        made = creation.create(
            principal=principal, draft=draft, expected=said.expected, with_token=with_token
        )
        if said.tags:
            tags.put(principal=principal, session=made.session, names=said.tags)
            made.session.refresh_from_db()
    return made


def _apply(principal: Principal, said: Said, *, with_token: bool) -> Outcome:
    if said.kind is not None:
        raise Misused("The template says of what kind the session is; leave --kind out.")
    wishes = Wishes(
        key=said.key,
        name=said.name,
        mode=said.mode,
        environment=said.environment,
        agent=said.agent,
        team=said.team,
        objects=said.objects,
        expected=tuple(said.expected),
        tags=tuple(said.tags),
    )
    return applying.apply(
        principal=principal, template=said.template, wishes=wishes, with_token=with_token
    )
