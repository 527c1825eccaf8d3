"""The errors of streams and the close codes that a socket tells them with."""

from enum import IntEnum
from typing import ClassVar

from aegis_project.kit import errors
from aegis_project.kit.errors import AegisError


class CloseCode(IntEnum):
    """
    Why a socket was closed; the range says what to do.

    40xx do not come back unchanged, 41xx come back after a pause, 42xx come back now.
    """

    NORMAL = 1000
    PROTOCOL = 4000
    BAD_TOKEN = 4001
    TOKEN_EXPIRED = 4002
    FORBIDDEN = 4003
    NO_SESSION = 4004
    SESSION_OVER = 4005
    REPLACED = 4007
    FRAME_TOO_LARGE = 4008
    NO_HELLO = 4009
    UNKNOWN_TOPIC = 4010
    CAPACITY = 4100
    SLOW_CONSUMER = 4101
    HEARTBEAT_MISSED = 4102
    RATE_LIMITED = 4103
    INTERNAL = 4104
    STORE_DOWN = 4105
    DRAINING = 4200
    POSITION_GONE = 4202
    PARTNER_LOST = 4203


class StreamError(AegisError):
    """A refusal that a socket tells in an ERROR frame, then closes with its code if it has one."""

    close: ClassVar[CloseCode | None] = None


class ProtocolError(StreamError):
    """The frame is not one of this protocol."""

    code = "PROTOCOL_ERROR"
    status = 400
    close = CloseCode.PROTOCOL


class UnknownCommand(StreamError):
    """The server does not know this COMMAND."""

    code = "UNKNOWN_COMMAND"
    status = 400


class TokenInvalid(StreamError):
    """The session token is not valid."""

    code = "TOKEN_INVALID"
    status = 401
    close = CloseCode.BAD_TOKEN


class TokenExpired(StreamError):
    """The session token has expired."""

    code = "TOKEN_EXPIRED"
    status = 401
    close = CloseCode.TOKEN_EXPIRED


class ConnectionForbidden(StreamError):
    """The token may not open this connection."""

    code = "CONNECTION_FORBIDDEN"
    status = 403
    close = CloseCode.FORBIDDEN


class SessionGone(StreamError):
    """There is no session for this token."""

    code = "SESSION_GONE"
    status = 404
    close = CloseCode.NO_SESSION


class SessionOver(StreamError):
    """The session is over."""

    code = "SESSION_OVER"
    status = 410
    close = CloseCode.SESSION_OVER


class ConnectionReplaced(StreamError):
    """A newer connection of this component has taken over."""

    code = "CONNECTION_REPLACED"
    status = 409
    close = CloseCode.REPLACED


class FrameTooLarge(StreamError):
    """The frame is larger than allowed."""

    code = "FRAME_TOO_LARGE"
    status = 413
    close = CloseCode.FRAME_TOO_LARGE


class HelloMissing(StreamError):
    """No hello came within the time allowed."""

    code = "HELLO_MISSING"
    status = 408
    close = CloseCode.NO_HELLO


class UnknownTopic(StreamError):
    """The topic is malformed, outside the token's patterns, or has no source."""

    code = "UNKNOWN_TOPIC"
    status = 400
    close = CloseCode.UNKNOWN_TOPIC


class TopicNotFound(StreamError):
    """There is no such topic."""

    code = "TOPIC_NOT_FOUND"
    status = 404


class TopicForbidden(StreamError):
    """The topic may not be published."""

    code = "TOPIC_FORBIDDEN"
    status = 403


class TopicReadOnly(TopicForbidden):
    """Aegis alone writes the topic."""

    code = "TOPIC_READ_ONLY"


class PositionGone(StreamError):
    """The position is no longer in the log."""

    code = "POSITION_GONE"
    status = 410
    close = CloseCode.POSITION_GONE


class OverCapacity(StreamError):
    """The server has no room for more of this."""

    code = "OVER_CAPACITY"
    status = 503
    temporary = True
    close = CloseCode.CAPACITY


class SlowConsumer(StreamError):
    """The connection did not take what was sent in time."""

    code = "SLOW_CONSUMER"
    status = 503
    temporary = True
    close = CloseCode.SLOW_CONSUMER


class HeartbeatMissed(StreamError):
    """The component was silent for too long."""

    code = "HEARTBEAT_MISSED"
    status = 408
    temporary = True
    close = CloseCode.HEARTBEAT_MISSED


class TooManyFrames(StreamError):
    """Too many frames came in too short a time."""

    code = "TOO_MANY_FRAMES"
    status = 429
    temporary = True
    close = CloseCode.RATE_LIMITED


class StreamFailed(StreamError):
    """Something failed in the server; it was logged."""

    code = "STREAM_FAILED"
    status = 500
    temporary = True
    close = CloseCode.INTERNAL


class StoreDown(StreamError):
    """The store of this log cannot be reached."""

    code = "STORE_DOWN"
    status = 503
    temporary = True
    close = CloseCode.STORE_DOWN


class Draining(StreamError):
    """The server is shutting down; come back after ``retry_ms``."""

    code = "DRAINING"
    status = 503
    temporary = True
    close = CloseCode.DRAINING


class PartnerLost(StreamError):
    """The control socket of this component was lost."""

    code = "PARTNER_LOST"
    status = 409
    temporary = True
    close = CloseCode.PARTNER_LOST


class SourceUnreadable(AegisError):
    """A file of the source cannot be read."""

    code = "SOURCE_UNREADABLE"
    status = 503
    temporary = True


CLOSES: dict[type[AegisError], CloseCode] = {
    errors.ValidationFailed: CloseCode.PROTOCOL,
    errors.PayloadTooLarge: CloseCode.FRAME_TOO_LARGE,
    errors.NotAuthenticated: CloseCode.BAD_TOKEN,
    errors.PermissionDenied: CloseCode.FORBIDDEN,
    errors.RateLimited: CloseCode.RATE_LIMITED,
    errors.DatabaseUnavailable: CloseCode.STORE_DOWN,
    errors.CacheUnavailable: CloseCode.STORE_DOWN,
    errors.ServiceUnavailable: CloseCode.STORE_DOWN,
    errors.InternalError: CloseCode.INTERNAL,
}


def close_code(error: AegisError) -> CloseCode:
    """The code a socket is closed with when this error ends it."""
    if isinstance(error, StreamError) and error.close is not None:
        return error.close
    for kind, code in CLOSES.items():
        if isinstance(error, kind):
            return code
    return CloseCode.INTERNAL if error.temporary else CloseCode.PROTOCOL


def error_of(code: CloseCode) -> StreamError | None:
    """Find the error that a close code stands for; a normal close stands for none."""
    return next((kind() for kind in StreamError.__subclasses__() if kind.close is code), None)
