"""One catalogue of errors: each code has one class and one status."""

from collections import Counter

import pytest

from aegis_project import documents
from aegis_project.kit.errors import AegisError, default_message

# The codes of the specification with their statuses.
SPECIFIED = {
    "SESSION_NOT_FOUND": 404,
    "SESSION_ALREADY_EXISTS": 409,
    "INVALID_STATE": 400,
    "SESSION_EXPIRED": 410,
    "MESSAGE_NOT_FOUND": 404,
    "INVALID_MESSAGE": 400,
    "MESSAGE_TOO_LONG": 413,
    "TOOL_NOT_FOUND": 404,
    "TOOL_EXECUTION_FAILED": 500,
    "TOOL_TIMEOUT": 504,
    "INVALID_TOOL_ARGS": 422,
    "APPROVAL_REQUIRED": 202,
    "APPROVAL_TIMEOUT": 410,
    "APPROVAL_REJECTED": 403,
    "LLM_ERROR": 502,
    "LLM_TIMEOUT": 504,
    "RATE_LIMITED": 429,
    "TOKEN_LIMIT": 413,
    "INTERNAL_ERROR": 500,
    "DATABASE_ERROR": 503,
    "CACHE_ERROR": 503,
    "VALIDATION_ERROR": 400,
    "AGENT_NOT_FOUND": 404,
    "CHECKPOINT_NOT_FOUND": 404,
    "COMPONENT_NOT_FOUND": 404,
    "TOPIC_NOT_FOUND": 404,
    "RUN_NOT_FOUND": 404,
    "APPROVAL_NOT_FOUND": 404,
    "APPROVAL_ALREADY_DECIDED": 409,
    "PERMISSION_DENIED": 403,
    "NOT_AUTHENTICATED": 401,
    "PRECONDITION_FAILED": 412,
    "IDEMPOTENCY_MISMATCH": 422,
    "BUDGET_EXCEEDED": 402,
    "POSITION_GONE": 410,
    "START_TIMEOUT": 504,
    "SERVICE_UNAVAILABLE": 503,
}


@pytest.fixture(scope="module")
def catalogue() -> list[type[AegisError]]:
    return documents.catalogue()


def test_the_codes_of_the_specification_have_their_statuses(catalogue: list[type[AegisError]]):
    found = {kind.code: kind.status for kind in catalogue if kind.code in SPECIFIED}

    assert found == SPECIFIED


def test_every_code_has_one_class(catalogue: list[type[AegisError]]):
    counts = Counter(kind.code for kind in catalogue)

    assert {code: count for code, count in counts.items() if count > 1} == {}


def test_every_error_says_in_a_sentence_what_happened(catalogue: list[type[AegisError]]):
    assert [kind.__name__ for kind in catalogue if not default_message(kind).endswith(".")] == []
    assert [kind.__name__ for kind in catalogue if not kind.__doc__] == []


def test_every_code_is_a_word_and_every_status_one_of_http(catalogue: list[type[AegisError]]):
    for kind in catalogue:
        assert kind.code == kind.code.upper().strip("_")
        assert 400 <= kind.status < 600 or kind.code == "APPROVAL_REQUIRED"
