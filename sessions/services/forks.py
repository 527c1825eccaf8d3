"""Making a session from a checkpoint of another one: what it remembers, who takes part, what was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from components.core.lifecycle import Role
from components.models import Component
from components.services.registry import Expected
from sessions.core.checkpoints import Effects
from sessions.core.events import SessionEvent
from sessions.core.lifecycle import Environment, Kind, Mode
from sessions.models import Checkpoint, Fork, Session
from sessions.selectors import checkpoints as selecting
from sessions.services import copying, creation, moving, telling
from sessions.services.creation import Draft
from sessions.services.moving import Reference
from sessions.services.outcome import Outcome
from streaming.selectors import tape
from streaming.services.commands import command


@dataclass(frozen=True, slots=True)
class Wish:
    """
    How a fork is to be: its key and name, what its tools do, and in which world it runs.

    With ``is_replay`` it is historical, and replays what its parent has recorded from the
    checkpoint on.
    """

    key: str = ""
    name: str = ""
    effects: Effects = Effects.RECORDED
    is_replay: bool = False


@command("session.fork", scope="sessions:control")
def fork(
    *, principal: Principal, session: Reference, checkpoint: str, wish: Wish | None = None
) -> Outcome:
    """
    Make a session in ``created`` from a checkpoint; its parent stays as it is.

    It has the memory, the participants and the conversation of the checkpoint, and no credential,
    grant, approval or open run of its parent. What its tools do is said by ``effects``.

    :raises PermissionDenied: without the scope sessions:write, too
    :raises SessionNotFound: if the parent is not there for the principal
    :raises CheckpointNotFound: if it has none of this id or label
    :raises SessionAlreadyExists: if the team has a session with this key
    :raises ValidationFailed: for a replay of a session that has recorded nothing
    """
    principal.require("sessions:write")
    wish = wish or Wish()
    parent = moving.locked(principal, session)
    found = selecting.of(parent.pk, checkpoint)
    held = selecting.held(found)
    made = creation.make(
        principal=principal,
        draft=_draft(parent, found, held.memory, wish),
        expected=[_expected(one, wish) for one in held.participants],
    )
    row = made.session
    row.parent, row.template = parent, parent.template
    row.template_version = parent.template_version
    count = copying.conversation(parent, found, to=row)
    row.save()
    _note(row, parent, found, wish)
    if wish.effects is not Effects.LIVE:
        _offer_as_before(parent, to=row)
    told = {"parent": str(parent.pk), "checkpoint": str(found.pk), "at": found.seq}
    telling.tell(
        row,
        SessionEvent.FORKED,
        actor=principal.actor,
        **told,
        effects=wish.effects.value,
        messages=count,
    )
    return made


def _note(row: Session, parent: Session, found: Checkpoint, wish: Wish) -> None:
    Fork.objects.create(
        session=row,
        parent=parent,
        checkpoint=found,
        seq=found.seq,
        effects=wish.effects.value,
        runs=[one["run"] for one in found.runs],
        last_run=found.last_run,
    )


def _offer_as_before(parent: Session, *, to: Session) -> None:
    # Nobody asks these to carry anything out, so that agents know of them without their coming.
    offers = Component.objects.filter(session=parent, role=Role.TOOL.value)
    for name, capabilities in offers.values_list("name", "capabilities"):
        Component.objects.filter(session=to, name=name).update(capabilities=capabilities)


def _draft(parent: Session, found: Checkpoint, memory: dict[str, Any], wish: Wish) -> Draft:
    return Draft(
        key=wish.key,
        name=(wish.name or f"Fork of {parent.name or parent.key}")[:200],
        kind=Kind(parent.kind),
        mode=Mode.HISTORICAL if wish.is_replay else Mode(parent.mode),
        environment=Environment(parent.environment),
        agent=parent.agent,
        team=parent.team.name,
        context=parent.context,
        config=_config(parent, found, wish),
        memory=memory,
        metadata=parent.metadata,
    )


def _config(parent: Session, found: Checkpoint, wish: Wish) -> dict[str, Any]:
    if not wish.is_replay:
        return _from_clock(parent, found)
    topics = tape.recorded(parent.pk)
    if not topics:
        raise ValidationFailed("Nothing of this session was recorded.", field="replay")
    at = int(found.created_at.timestamp() * 1000)
    source = {"layout": "recording", "session": str(parent.pk), "topics": topics, "from": at}
    return {**parent.config, "source": source}


def _from_clock(parent: Session, found: Checkpoint) -> dict[str, Any]:
    """The config of the parent; a clock begins where it stood."""
    config: dict[str, Any] = parent.config
    source, clock = config.get("source"), (found.clock or {}).get("clock")
    if isinstance(source, dict) and clock is not None:
        return {**config, "source": {**source, "from": clock}}
    return config


def _expected(one: Mapping[str, Any], wish: Wish) -> Expected:
    role = Role(one["role"])
    # Nobody is asked to carry anything out, so nobody has to be there for that.
    is_needed = role is not Role.TOOL or wish.effects is Effects.LIVE
    return Expected(
        name=one["name"],
        role=role,
        required=one["required"] and is_needed,
        topics=tuple(one["topics"]),
    )
