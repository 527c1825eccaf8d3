"""What is refused, as both bindings of A2A say it."""

import logging
from typing import Any, NamedTuple

from a2a.utils import errors
from a2a.utils.error_handlers import build_error_details
from a2a.utils.errors import A2A_ERROR_MAPPING, JSON_RPC_ERROR_CODE_MAP, A2AError
from google.protobuf.json_format import ParseError

from aegis_project.kit.errors import AegisError

logger = logging.getLogger(__name__)

INVALID, INTERNAL = -32600, -32603
DOMAIN = "aegis"
INFO = "type.googleapis.com/google.rpc.ErrorInfo"
# Our codes that are errors of the protocol; the others keep their status on both bindings.
PROTOCOL: dict[str, type[A2AError]] = {
    "RUN_NOT_FOUND": errors.TaskNotFoundError,
    "SESSION_NOT_FOUND": errors.InvalidParamsError,
    "SESSION_EXPIRED": errors.UnsupportedOperationError,
    "AMBIGUOUS_REFERENCE": errors.InvalidParamsError,
    "VALIDATION_ERROR": errors.InvalidParamsError,
    "INVALID_MESSAGE": errors.InvalidParamsError,
    "MESSAGE_TOO_LONG": errors.InvalidParamsError,
    "INVALID_STATE": errors.UnsupportedOperationError,
    "APPROVAL_ALREADY_DECIDED": errors.UnsupportedOperationError,
    "APPROVAL_TIMEOUT": errors.UnsupportedOperationError,
    "APPROVAL_STALE": errors.UnsupportedOperationError,
    "METHOD_NOT_ALLOWED": errors.MethodNotFoundError,
    "UNSUPPORTED_MEDIA_TYPE": errors.ContentTypeNotSupportedError,
    "ADDRESS_REFUSED": errors.InvalidParamsError,
    "INTERNAL_ERROR": errors.InternalError,
}
STATUSES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Fault(NamedTuple):
    """
    A refusal: HTTP status and word, code of JSON-RPC, what happened, particulars.

    ``is_ours`` says that it is none of the protocol's own errors.
    """

    http: int
    status: str
    code: int
    message: str
    details: list[dict[str, Any]]
    is_ours: bool = False

    def rest(self) -> dict[str, Any]:
        """As HTTP+JSON says it."""
        told = {"code": self.http, "status": self.status, "message": self.message}
        return {"error": {**told, "details": self.details}}

    def rpc(self, request_id: Any) -> dict[str, Any]:
        """As JSON-RPC says it."""
        error = {"code": self.code, "message": self.message, "data": self.details}
        return {"jsonrpc": "2.0", "id": request_id, "error": error}


def fault(error: Exception) -> Fault | None:
    """An anticipated failure; None for any other."""
    if isinstance(error, A2AError):
        return _of_protocol(error)
    if isinstance(error, ParseError):
        return _of_protocol(errors.InvalidParamsError(str(error)))
    if isinstance(error, AegisError):
        return said(error.code, error.message, status=error.status)
    return None


def broken(error: Exception) -> Fault:
    """Any failure of a stream; what was not anticipated is logged and says nothing of itself."""
    found = fault(error)
    if found is None:
        logger.error("A stream failed", exc_info=error, extra={"action": "stream_failed"})
        found = _of_protocol(errors.InternalError())
    return found


def said(code: str, message: str, *, status: int) -> Fault:
    """A failure with one of our codes."""
    kind = PROTOCOL.get(code)
    if kind is not None:
        return _of_protocol(kind(message))
    word = STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    details = [{"@type": INFO, "reason": code, "domain": DOMAIN, "metadata": {}}]
    number = INTERNAL if status >= 500 else INVALID
    return Fault(status, word, number, message, details, is_ours=True)


def _of_protocol(error: A2AError) -> Fault:
    kind = type(error)
    http, status, _ = A2A_ERROR_MAPPING.get(kind, (400, "INVALID_ARGUMENT", ""))
    code = JSON_RPC_ERROR_CODE_MAP.get(kind, INTERNAL)
    # The SDK has no word of its own for a body that is no JSON.
    is_unread = isinstance(error, errors.JSONParseError)
    named = errors.InvalidRequestError() if is_unread else error
    return Fault(http, status, code, error.message, build_error_details(named))
