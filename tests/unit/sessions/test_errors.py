import pytest

from aegis_project.kit.errors import AegisError
from sessions.core import errors


@pytest.mark.parametrize(
    ("kind", "code", "status", "is_temporary"),
    [
        (errors.SessionNotFound, "SESSION_NOT_FOUND", 404, False),
        (errors.SessionAlreadyExists, "SESSION_ALREADY_EXISTS", 409, False),
        (errors.SessionExpired, "SESSION_EXPIRED", 410, False),
        (errors.StartTimeout, "START_TIMEOUT", 504, True),
    ],
)
def test_errors_have_the_codes_and_statuses_of_the_specification(
    kind: type[AegisError], code: str, status: int, is_temporary: bool
):
    assert (kind.code, kind.status, kind.temporary) == (code, status, is_temporary)
