"""Errors of components; those of sockets stand in ``streaming.core.errors``."""

from aegis_project.kit.errors import AegisError


class ComponentNotFound(AegisError):
    """There is no such component."""

    code = "COMPONENT_NOT_FOUND"
    status = 404


class ComponentAmbiguous(AegisError):
    """More than one component waits for its data socket; say which by component_id."""

    code = "COMPONENT_AMBIGUOUS"
    status = 409


class CredentialNotFound(AegisError):
    """There is no such credential."""

    code = "CREDENTIAL_NOT_FOUND"
    status = 404


class CredentialAlreadyExists(AegisError):
    """A credential of this name is in use; rotate it, revoke it or choose another name."""

    code = "CREDENTIAL_ALREADY_EXISTS"
    status = 409


class ProgramNotFound(AegisError):
    """There is no such program."""

    code = "PROGRAM_NOT_FOUND"
    status = 404


class ProgramAlreadyExists(AegisError):
    """There is a program of this name."""

    code = "PROGRAM_ALREADY_EXISTS"
    status = 409


class ProgramMissing(AegisError):
    """No launcher runs this component; whoever started it has to start it again."""

    code = "PROGRAM_MISSING"
    status = 409


class LaunchLost(AegisError):
    """Another launcher keeps this program now."""

    code = "LAUNCH_LOST"
    status = 409


class ConnectionLost(AegisError):
    """The connection to Aegis ended before the answer came."""

    code = "CONNECTION_LOST"
    status = 503
    temporary = True


class ComponentClosed(AegisError):
    """The component is closed: its session is over, or it left."""

    code = "COMPONENT_CLOSED"
    status = 410


class Refused(AegisError):
    """The server refused, with a code that this version of the SDK does not know."""

    code = "REFUSED"
    status = 400
