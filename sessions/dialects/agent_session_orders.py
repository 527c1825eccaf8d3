"""From what a client of seed 001 asks for to the services that do it."""

from typing import Any

from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions import commands
from sessions.core import agent_sessions as words
from sessions.core.agent_sessions import ChangeInput
from sessions.core.dialects import AGENT_SESSION_VERBS, agent_session_states
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services import at_rest, creation, lifecycle, moving
from sessions.services.creation import Draft
from sessions.services.outcome import Outcome
from streaming.api import codecs

FAILED = "SESSION_FAILED"


def create(principal: Principal, body: Any) -> Session:
    """
    Make the session that a body asks for.

    :raises ValidationFailed: for what cannot be
    :raises SessionAlreadyExists: if the team has one with this key
    """
    asked = words.wanted(body)
    _check_kept(asked.context, field="context")
    config = {"limits": asked.limits} if asked.limits else {}
    draft = Draft(key=asked.key, kind=asked.kind, context=asked.context, config=config)
    return creation.create(principal=principal, draft=draft).session


def change(principal: Principal, session: str, body: Any) -> Session:
    """
    Bring a session into the state that a body asks for; a start is answered when it is settled.

    The word that it shows already changes nothing.

    :raises ValidationFailed: for what cannot be
    :raises SessionNotFound: if it is not there for the principal
    :raises InvalidState: if it cannot go there from where it is
    :raises StartTimeout: if a required component did not become ready in time
    """
    asked = words.changed(body)
    _check_kept(asked.result, field="result")
    row = sessions.find(principal, session)
    return _move(principal, row, asked).session


def _move(principal: Principal, row: Session, asked: ChangeInput) -> Outcome:
    verb = AGENT_SESSION_VERBS.get(asked.state)
    if _is_shown(row, asked.state) and verb not in row.legal():
        return at_rest.keep(principal=principal, session=row)
    match verb:
        case "start":
            return _started(principal, row)
        case "pause":
            return lifecycle.pause(principal=principal, session=row)
        case "complete":
            return lifecycle.complete(principal=principal, session=row, result=asked.result)
        case "fail":
            return lifecycle.fail(principal=principal, session=row, error=_error(asked.error))
        case _:
            raise _nowhere(principal, row, asked.state)


def _is_shown(row: Session, word: str) -> bool:
    return row.state in agent_session_states(word)


def _started(principal: Principal, row: Session) -> Outcome:
    done = lifecycle.start(principal=principal, session=row)
    if not done.is_pending:
        return done
    return commands.settled(done, timeout_seconds=commands.seconds_left(done.session))


def _error(message: str | None) -> dict[str, Any]:
    return {"code": FAILED, "message": message or "", "details": {}}


def _nowhere(principal: Principal, row: Session, word: str) -> AegisError:
    """The refusal of a word that no verb leads to."""
    principal.require("sessions:control")
    return moving.illegal(row, word)


def _check_kept(value: Any, *, field: str) -> None:
    try:
        codecs.check_kept(value)
    except ValueError as error:
        raise ValidationFailed(f"{error}.", fields=[field]) from None
