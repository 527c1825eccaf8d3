"""What only people need of a request, and the policy that each answer carries."""

from dataclasses import asdict
from typing import Any

import pytest
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from aegis_project.browsers import ContentPolicy, is_program
from tests.calling import caller

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "shown", "expected"),
    [
        ("/api/v1/sessions", "Bearer aeg_x", True),
        ("/api/v1/sessions", "bearer aeg_x", True),
        ("/api/v1/sessions", "Basic eDp5", False),
        ("/api/v1/sessions", "", False),
        ("/admin/login/", "Bearer aeg_x", False),
    ],
)
def test_who_shows_a_credential_outside_of_the_admin_is_a_program(
    address: str, shown: str, expected: bool
):
    request = RequestFactory().get(address, headers={"Authorization": shown})

    assert is_program(request) is expected


def test_a_program_is_who_its_credential_says_whatever_cookies_come_with_it(admin_user: object):
    program = caller(["sessions:read"])
    program.client.force_login(admin_user)  # type: ignore[arg-type]

    read = program.get("/api/v1/sessions")
    written = program.post("/api/v1/sessions", {"name": "x"})

    assert read.status_code == 200
    assert not hasattr(read.wsgi_request, "session")
    assert written.status_code == 403


def test_the_admin_knows_people_whatever_they_show():
    program = caller()

    found = program.get("/admin/aegis_sessions/session/")

    assert found.status_code == 302


def test_the_admin_has_the_policy_of_the_settings():
    plain = HttpResponse()
    policy = ContentPolicy(lambda _: plain)
    parts = CSPMiddleware(lambda _: plain).get_policy_parts(HttpRequest(), plain)

    found: Any = policy(RequestFactory().get("/admin/"))

    assert found["Content-Security-Policy"] == build_policy(**asdict(parts))


def test_an_answer_may_have_a_policy_of_its_own():
    own = HttpResponse()
    own._csp_update = {"img-src": ["https://pictures.example"]}  # type: ignore[attr-defined]

    found: Any = ContentPolicy(lambda _: own)(RequestFactory().get("/"))

    assert "img-src 'self' data: https://pictures.example" in found["Content-Security-Policy"]
