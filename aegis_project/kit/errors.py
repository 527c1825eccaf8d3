"""The root of the error catalogue and the errors that every part may raise."""

from typing import Any, ClassVar


class AegisError(Exception):
    """
    An anticipated refusal or failure that every edge can render.

    The class carries what an edge needs: ``code`` (stable word), ``status`` (HTTP) and
    ``temporary`` (whether the same request may succeed later). The docstring is the message
    when none is given; keyword arguments become ``details``.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500
    temporary: ClassVar[bool] = False
    # Whether the audit tells of it; whoever renders it sees to that otherwise.
    is_audited = False

    def __init__(self, message: str = "", **details: Any) -> None:
        self.message = message or default_message(type(self))
        self.details = details
        super().__init__(self.message)

    def as_dict(self) -> dict[str, Any]:
        """The body every JSON edge starts from: ``code``, ``message``, ``details``."""
        return {"code": self.code, "message": self.message, "details": self.details}


def default_message(error: type[AegisError]) -> str:
    """The first paragraph of an error's docstring, on one line."""
    return " ".join((error.__doc__ or error.__name__).strip().split("\n\n")[0].split())


class ValidationFailed(AegisError):
    """What was sent does not have the required form."""

    code = "VALIDATION_ERROR"
    status = 400


class PayloadTooLarge(AegisError):
    """What was sent is larger than allowed."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413


class RequestTimeout(AegisError):
    """The request did not come in whole in time."""

    code = "REQUEST_TIMEOUT"
    status = 408
    temporary = True


class InvalidState(AegisError):
    """The command is not legal in this state."""

    code = "INVALID_STATE"
    status = 400


class NotAuthenticated(AegisError):
    """Valid credentials are required."""

    code = "NOT_AUTHENTICATED"
    status = 401


class PermissionDenied(AegisError):
    """The caller is not allowed to do this."""

    code = "PERMISSION_DENIED"
    status = 403


class NotFound(AegisError):
    """There is nothing at this address."""

    code = "NOT_FOUND"
    status = 404


class MethodNotAllowed(AegisError):
    """The address does not answer to this method."""

    code = "METHOD_NOT_ALLOWED"
    status = 405


class NotAcceptable(AegisError):
    """The address cannot answer in the form asked for."""

    code = "NOT_ACCEPTABLE"
    status = 406


class UnsupportedMediaType(AegisError):
    """The address does not read bodies of this type."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class PreconditionFailed(AegisError):
    """The version given is not the current one."""

    code = "PRECONDITION_FAILED"
    status = 412


class IdempotencyMismatch(AegisError):
    """The idempotency key was used before with another request."""

    code = "IDEMPOTENCY_MISMATCH"
    status = 422


class RateLimited(AegisError):
    """Too many requests; try again later."""

    code = "RATE_LIMITED"
    status = 429
    temporary = True


class QuotaExceeded(AegisError):
    """The team has as much as its quota allows."""

    code = "QUOTA_EXCEEDED"
    status = 429


class InternalError(AegisError):
    """Something failed that should not; it was logged."""

    code = "INTERNAL_ERROR"
    status = 500


class DatabaseUnavailable(AegisError):
    """The database cannot be reached."""

    code = "DATABASE_ERROR"
    status = 503
    temporary = True


class CacheUnavailable(AegisError):
    """A layer or limiter that is required cannot be reached."""

    code = "CACHE_ERROR"
    status = 503
    temporary = True


class ServiceUnavailable(AegisError):
    """A part of the server is not available now."""

    code = "SERVICE_UNAVAILABLE"
    status = 503
    temporary = True


class SecretUnreadable(AegisError):
    """A stored secret was sealed with another secret key; enter it again."""

    code = "SECRET_UNREADABLE"
    status = 500


class AddressRefused(AegisError):
    """The address may not be reached from here."""

    code = "ADDRESS_REFUSED"
    status = 403


class Unreachable(AegisError):
    """An address outside could not be reached."""

    code = "UNREACHABLE"
    status = 502
    temporary = True
