import json

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from aegis_project import rest


@pytest.mark.parametrize(
    ("error", "status", "code", "wait"),
    [
        (OperationalError("the server closed the connection"), 503, "DATABASE_ERROR", "2"),
        (RuntimeError("whatever"), 500, "INTERNAL_ERROR", None),
    ],
)
def test_what_no_view_caught_says_whether_it_may_succeed_later(error, status, code, wait):
    for accept in ("application/json", "text/html"):
        request = RequestFactory().get("/admin/", headers={"Accept": accept})
        try:
            raise error
        except (OperationalError, RuntimeError):
            answer = rest.failed(request)

        assert (answer.status_code, answer.get("Retry-After")) == (status, wait)
        if accept == "application/json":
            assert json.loads(answer.content)["error"]["code"] == code
        assert str(error) not in answer.content.decode()


def test_why_the_database_failed_is_said_to_the_operator_alone(caplog):
    answer = rest.render_error(OperationalError("deadlock detected"), {})

    assert (answer.status_code, answer.data["error"]["code"]) == (503, "DATABASE_ERROR")
    assert "deadlock" not in str(answer.data)
    assert caplog.messages == ["The database failed: deadlock detected"]
