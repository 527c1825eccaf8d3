"""Errors of sessions."""

from aegis_project.kit.errors import AegisError


class SessionNotFound(AegisError):
    """There is no such session."""

    code = "SESSION_NOT_FOUND"
    status = 404


class SessionAlreadyExists(AegisError):
    """A session with this key exists."""

    code = "SESSION_ALREADY_EXISTS"
    status = 409


class SessionExpired(AegisError):
    """The session has expired."""

    code = "SESSION_EXPIRED"
    status = 410


class StartTimeout(AegisError):
    """A required component did not become ready in time."""

    code = "START_TIMEOUT"
    status = 504
    temporary = True


class AmbiguousReference(AegisError):
    """More than one session answers to this name."""

    code = "AMBIGUOUS_REFERENCE"
    status = 409


class ComponentLost(AegisError):
    """A required component was lost and did not come back."""

    code = "COMPONENT_LOST"
    status = 503
    temporary = True
