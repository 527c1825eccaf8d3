"""What the commands of seed 000 do about sessions."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions import commands
from sessions.api import inputs
from sessions.core.dialects import DAEMON_AT_REST
from sessions.core.lifecycle import CLOSED, Mode, State
from sessions.dialects import payloads, shapes
from sessions.dialects.envelope import Refused
from sessions.models import Session
from sessions.selectors import lists, sessions
from sessions.services import at_rest, creation, lifecycle
from sessions.services.creation import Draft
from sessions.services.outcome import Outcome

Payload = dict[str, Any]
Data = dict[str, Any]

# How many sessions of a list are looked at together; databases bound the length of a question.
SLICE = 500


def create(principal: Principal, payload: Payload) -> Data:
    """SESSION_CREATE."""
    asked = payloads.read(payload, payloads.Create, required="name")
    mode = asked.mode.lower()
    if mode not in set(Mode):
        raise ValidationFailed("invalid mode, must be 'realtime' or 'historical'")
    _refuse_programs(asked.paths)
    draft = Draft(name=asked.name, mode=Mode(mode), config=asked.config)
    made = creation.create(principal=principal, draft=draft, with_token=True)
    return {"session": shapes.made(made.session, made.secret)}


def attach(principal: Principal, payload: Payload) -> Data:
    """SESSION_ATTACH."""
    asked = payloads.read(payload, payloads.Attach, required="session_id")
    _refuse_programs(asked.paths)
    row = sessions.resolve(principal, asked.session_id)
    expected = inputs.expected(asked.components)
    done = creation.attach(principal=principal, session=row, expected=expected)
    names = {one.name for one in expected}
    return {
        "session_id": str(row.pk),
        "attached_components": [
            one for one in shapes.components(done.session) if one["name"] in names
        ],
        **shapes.truth(done.session),
        "session_token": done.secret,
    }


def start(principal: Principal, payload: Payload) -> Data:
    """SESSION_START and SESSION_RESUME: answered when the start is settled."""
    row = _one(principal, payload)
    return _started(principal, row, lambda: lifecycle.start(principal=principal, session=row))


def restart(principal: Principal, payload: Payload) -> Data:
    """SESSION_RESTART: answered when the start is settled, too."""
    asked = payloads.read(payload, payloads.Restart, required="session_id")
    row = sessions.resolve(principal, asked.session_id)
    return _started(
        principal,
        row,
        lambda: lifecycle.restart(principal=principal, session=row, from_=asked.from_, to=asked.to),
    )


def _started(principal: Principal, row: Session, begin: Callable[[], Outcome]) -> Data:
    try:
        done = begin()
        if done.is_pending:
            wait = commands.seconds_left(done.session)
            done = commands.settled(done, timeout_seconds=wait)
    except AegisError as error:
        raise Refused(error, _at(principal, row)) from None
    return shapes.moved(done.session, done.previous, started_at=done.session.started_at)


def stop(principal: Principal, payload: Payload) -> Data:
    """SESSION_STOP, which is taken for done where there is nothing to stop."""
    row = _one(principal, payload)
    halt: Callable[..., Outcome] = lifecycle.stop
    if State(row.state) in DAEMON_AT_REST and not row.is_starting:
        halt = at_rest.let_be
    done = halt(principal=principal, session=row)
    return shapes.moved(done.session, done.previous, stopped_at=done.session.stopped_at)


def several(principal: Principal, payload: Payload) -> Data:
    """SESSION_LIST: the open ones, or all."""
    asked = payloads.read(payload, payloads.Some)
    rows = lists.readable(principal).order_by("-created_at", "-pk")
    if not asked.include_closed:
        rows = rows.exclude(state__in=[state.value for state in CLOSED])
    found, now = list(rows), timezone.now()
    slices = (found[place : place + SLICE] for place in range(0, len(found), SLICE))
    views = [view for some in slices for view in sessions.views(some, now=now)]
    return {"sessions": [shapes.listed(view) for view in views]}


def state(principal: Principal, payload: Payload) -> Data:
    """SESSION_STATE."""
    principal.require("sessions:read")
    row = _one(principal, payload)
    return {"session": shapes.standing(row), "components": shapes.components(row)}


def delete(principal: Principal, payload: Payload) -> Data:
    """SESSION_DELETE."""
    done = lifecycle.delete(principal=principal, session=_one(principal, payload))
    return {"session_id": str(done.session.pk), "session_name": done.session.name}


def _one(principal: Principal, payload: Payload) -> Session:
    asked = payloads.read(payload, payloads.One, required="session_id")
    return sessions.resolve(principal, asked.session_id)


def _refuse_programs(paths: list[str]) -> None:
    if paths:
        raise ValidationFailed(f"{paths[0]} is not a registered program")


def _at(principal: Principal, before: Session) -> Data:
    """Where a start that failed leaves the session, for those who may know."""
    if not principal.allows("sessions:read"):
        return {**NOWHERE, "session_id": str(before.pk)}
    after = Session.objects.get(pk=before.pk)
    return shapes.moved(after, before.state)


# What a start that failed says of a session that is not there.
NOWHERE: Data = {"session_id": "", "previous_state": None, "current_state": None, "components": []}
