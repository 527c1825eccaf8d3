"""What messages of seed 003 name: a session that is still there, for who may read it."""

from typing import TypeVar

from msgspec import Struct

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core.lifecycle import Environment
from sessions.dialects import payloads
from sessions.dialects.bus.registry import Data
from sessions.models import Session
from sessions.services import tasks

T = TypeVar("T", bound=Struct)


class One(Struct, kw_only=True, rename="camel"):
    """A session by its id or key."""

    session_id: str = ""


def asked(data: Data, kind: type[T]) -> T:
    """
    The data as ``kind``; members that it does not know are left out, as the seed does.

    :raises ValidationFailed: for a wrong type
    """
    return payloads.read(data, kind)


def named(principal: Principal, data: Data, *, message: str) -> Session:
    """
    The open session that a message names.

    :raises ValidationFailed: if it names none
    :raises SessionNotFound: if that is not there for the principal, or closed
    """
    session = asked(data, One).session_id
    if not session:
        raise ValidationFailed(f"Missing sessionId for operation: {message}")
    return tasks.opened(principal, session)


def readable(principal: Principal, data: Data, *, message: str) -> Session:
    """
    The same for who may read it.

    :raises PermissionDenied: without the scope sessions:read
    """
    principal.require("sessions:read")
    return named(principal, data, message=message)


def environment(word: str) -> Environment:
    """
    The environment that the seed calls a type, in any case.

    :raises ValidationFailed: for another word
    """
    try:
        return Environment(word.lower())
    except ValueError:
        known = ", ".join(one.value for one in Environment)
        raise ValidationFailed(f"type must be one of {known}.") from None
