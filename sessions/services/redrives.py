"""Sending what a session recorded once more, to the components of a new session."""

from dataclasses import dataclass
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from components.core.lifecycle import Role
from components.services.registry import Expected
from sessions.core.lifecycle import Environment, Kind, Mode
from sessions.models import Session
from sessions.selectors import checkpoints as selecting
from sessions.selectors import sessions
from sessions.services import creation
from sessions.services.creation import Draft
from sessions.services.moving import Reference
from sessions.services.outcome import Outcome
from streaming.selectors import logs, tape
from streaming.services.commands import command
from streaming.sources.clock_range import Instant


@dataclass(frozen=True, slots=True)
class Drive:
    """
    What of a recording is sent, and how fast: 0 is as fast as everybody takes it.

    ``topics`` are names and patterns, all that is recorded without any; ``from_`` and ``to`` are
    unix milliseconds or ISO 8601, 0 for an open end.
    """

    key: str = ""
    name: str = ""
    speed: float = 0.0
    from_: Instant = 0
    to: Instant = 0
    topics: tuple[str, ...] = ()
    loop: bool = False


@command("session.redrive", scope="sessions:write")
def redrive(*, principal: Principal, session: Reference, drive: Drive | None = None) -> Outcome:
    """
    Make a historical session, of the environment test, that replays what another one recorded.

    The components of that one are declared, but for its feeds; the recorded session stays as it is.

    :raises PermissionDenied: without the scope topics:read, too
    :raises SessionNotFound: if the recorded one is not there for the principal
    :raises ValidationFailed: if nothing is recorded, or for a range or speed that cannot be
    :raises SessionAlreadyExists: if the team has a session with this key
    """
    principal.require("topics:read")
    drive = drive or Drive()
    parent = sessions.find(principal, session)
    topics = drive.topics or _recorded(principal, parent)
    made = creation.make(
        principal=principal,
        draft=_draft(parent, topics, drive),
        expected=[
            Expected(one["name"], Role(one["role"]), one["required"], tuple(one["topics"]))
            for one in selecting.participants(parent.pk)
            if one["role"] != Role.FEED
        ],
    )
    made.session.parent = parent
    made.session.save(update_fields=["parent", "updated_at"])
    return made


def _recorded(principal: Principal, parent: Session) -> tuple[str, ...]:
    found = [name for name in tape.recorded(parent.pk) if logs.may_see(principal, name)]
    if not found:
        raise ValidationFailed("Nothing of this session was recorded.", field="topics")
    return tuple(found)


def _draft(parent: Session, topics: tuple[str, ...], drive: Drive) -> Draft:
    source: dict[str, Any] = {
        "layout": "recording",
        "session": str(parent.pk),
        "topics": list(topics),
        "speed": drive.speed,
        "from": drive.from_,
        "to": drive.to,
        "loop": drive.loop,
    }
    return Draft(
        key=drive.key,
        name=(drive.name or f"Re-drive of {parent.name or parent.key}")[:200],
        kind=Kind(parent.kind),
        mode=Mode.HISTORICAL,
        environment=Environment.TEST,
        team=parent.team.name,
        context=parent.context,
        config={**parent.config, "source": source},
        metadata=parent.metadata,
    )
