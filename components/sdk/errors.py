"""Typed errors: the classes to catch, made out of what the server says in frames and close codes."""

from collections.abc import Iterator
from typing import Any

from aegis_project.kit.errors import (
    AegisError,
    NotAuthenticated,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
    ValidationFailed,
)
from components.core.errors import (
    ComponentAmbiguous,
    ComponentClosed,
    ComponentNotFound,
    ConnectionLost,
    Refused,
)
from streaming.core.errors import (
    ConnectionForbidden,
    ConnectionReplaced,
    Draining,
    FrameTooLarge,
    HeartbeatMissed,
    HelloMissing,
    OverCapacity,
    PartnerLost,
    PositionGone,
    ProtocolError,
    SessionGone,
    SessionOver,
    SlowConsumer,
    StoreDown,
    StreamError,
    StreamFailed,
    TokenExpired,
    TokenInvalid,
    TooManyFrames,
    TopicForbidden,
    TopicReadOnly,
    UnknownCommand,
    UnknownTopic,
)

__all__ = [
    "AegisError",
    "ComponentAmbiguous",
    "ComponentClosed",
    "ComponentNotFound",
    "ConnectionForbidden",
    "ConnectionLost",
    "ConnectionReplaced",
    "Draining",
    "FrameTooLarge",
    "HeartbeatMissed",
    "HelloMissing",
    "NotAuthenticated",
    "OverCapacity",
    "PartnerLost",
    "PermissionDenied",
    "PositionGone",
    "ProtocolError",
    "RateLimited",
    "Refused",
    "ServiceUnavailable",
    "SessionGone",
    "SessionOver",
    "SlowConsumer",
    "StoreDown",
    "StreamFailed",
    "TokenExpired",
    "TokenInvalid",
    "TooManyFrames",
    "TopicForbidden",
    "TopicReadOnly",
    "UnknownCommand",
    "UnknownTopic",
    "ValidationFailed",
    "closed",
    "of_topic",
    "told",
]


def told(code: str, message: str = "", details: dict[str, Any] | None = None) -> AegisError:
    """
    The error of this code; its class is the one that the server raised.

    A code from a newer server is a ``Refused`` with the code in its details.
    """
    for kind in _kinds(AegisError):
        if kind.__dict__.get("code") == code and kind is not AegisError:
            error = kind(message)
            break
    else:
        error = Refused(message, code=code)
    error.details.update(details or {})
    return error


def of_topic(refusal: dict[str, Any]) -> AegisError:
    """The error in an entry of SUBSCRIBED's ``errors``."""
    topic = refusal.get("topic")
    return told(refusal["code"], f"{topic} was refused.", {"topic": topic})


def closed(code: int | None) -> AegisError:
    """The error that a close code alone tells, when no ERROR frame came before it."""
    for kind in _kinds(StreamError):
        if kind.__dict__.get("close") == code and code is not None:
            return kind()
    return ConnectionLost(close_code=code)


def _kinds(root: type[AegisError]) -> Iterator[type[AegisError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _kinds(kind)
