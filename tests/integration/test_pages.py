"""What browsers are allowed, and what happens to those who guess passwords."""

import importlib
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views import defaults
from pydantic import ValidationError as Mistakes

from aegis_project import rest
from aegis_project import settings as project
from aegis_project.env import Environment

PASSWORD = "correct horse battery staple"
FEW = 3
LOGIN = "/admin/login/"
PAGE = {"Accept": "text/html"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(settings: Any) -> User:
    settings.AXES_FAILURE_LIMIT = FEW
    # How long it takes to guess is not the question here.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("ana", "", PASSWORD)


def sign_in(browser: Client, password: str, **rest: Any) -> Any:
    return browser.post(LOGIN, {"username": "ana", "password": password}, headers=PAGE, **rest)


def policy(response: Any) -> dict[str, set[str]]:
    found = (part.split() for part in response.headers["Content-Security-Policy"].split(";"))
    return {name: set(values) for name, *values in found}


@pytest.mark.usefixtures("ana")
def test_who_guesses_passwords_is_locked_out_whatever_the_headers_say():
    browser, here = Client(), {"REMOTE_ADDR": "10.0.0.1"}

    guesses = [
        sign_in(browser, "wrong", HTTP_X_FORWARDED_FOR=f"{number}.1.1.1", **here).status_code
        for number in range(FEW)
    ]
    locked = sign_in(browser, PASSWORD, **here)
    elsewhere = sign_in(browser, PASSWORD, REMOTE_ADDR="10.0.0.2")

    assert guesses == [200, 200, 429]
    assert (locked.status_code, elsewhere.status_code) == (429, 302)
    assert locked.headers["Retry-After"] == "900"
    assert "Try again in 15 minutes" in locked.content.decode()


@pytest.mark.usefixtures("ana")
def test_programs_that_are_locked_out_are_told_so_in_our_words():
    browser = Client(headers={"Accept": "application/json"})
    data = {"username": "ana", "password": "wrong"}

    found = [browser.post(LOGIN, data) for _ in range(FEW + 1)][-1]

    assert found.status_code == 429
    assert json.loads(found.content)["error"]["code"] == "RATE_LIMITED"


@pytest.mark.parametrize("weak", ["short1horse", "password1"])
def test_weak_passwords_are_refused(weak: str):
    with pytest.raises(ValidationError):
        validate_password(weak)


def test_each_answer_gets_the_narrowest_policy(admin_client: Client):
    admin = policy(admin_client.get("/admin/aegis_sessions/session/"))
    document = policy(admin_client.get("/api/v1/sessions"))
    page = policy(admin_client.get("/api/v1/sessions", headers=PAGE))

    assert admin["script-src"] == {"'self'", "'unsafe-eval'"}
    assert page["script-src"] == {"'self'"}
    assert document == {"default-src": {"'none'"}, "frame-ancestors": {"'none'"}}
    assert "'unsafe-inline'" not in admin["script-src"] | admin["default-src"]


def test_answers_say_nothing_of_what_made_them(admin_client: Client):
    answers = [
        admin_client.get("/nothing/there"),
        admin_client.get("/healthz", headers={"Host": "evil.example"}),
        admin_client.get("/api/v1/sessions/%ff"),
        Client(enforce_csrf_checks=True).post("/healthz"),
    ]

    for answer in answers:
        said = f"{answer.content!r}{answer.headers!r}".lower()
        assert not any(word in said for word in ("django", "python", "traceback", "uvicorn"))
    assert [json.loads(one.content)["error"]["code"] for one in answers] == [
        "NOT_FOUND",
        "VALIDATION_ERROR",
        "SESSION_NOT_FOUND",
        "PERMISSION_DENIED",
    ]


def test_browsers_elsewhere_may_call_only_if_their_origin_is_named(
    settings: Any, monkeypatch: pytest.MonkeyPatch
):
    origin = "https://desk.example"
    ask = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    before = Client().options("/api/v1/sessions", headers=ask)
    monkeypatch.setenv("AEGIS_CORS_ORIGINS", origin)

    named = importlib.reload(project)
    try:
        for name in ("MIDDLEWARE", "INSTALLED_APPS"):
            setattr(settings, name, getattr(named, name))
        for name in dir(named):
            if name.startswith("CORS_"):
                setattr(settings, name, getattr(named, name))
        after = Client().options("/api/v1/sessions", headers=ask)
        other = Client().options("/api/v1/sessions", headers=ask | {"Origin": f"{origin}.evil"})
        page = Client().options("/admin/login/", headers=ask)
    finally:
        monkeypatch.delenv("AEGIS_CORS_ORIGINS")
        importlib.reload(project)

    allowed = "Access-Control-Allow-Origin"
    assert after.headers[allowed] == origin
    assert not any(allowed in one.headers for one in (before, other, page))
    assert "Access-Control-Allow-Credentials" not in after.headers


@pytest.mark.parametrize("wrong", ["*", "https://a.example/", "desk.example", "null"])
def test_an_origin_is_named_exactly(wrong: str):
    with pytest.raises(Mistakes, match="is no origin"):
        Environment(cors_origins=wrong)


@pytest.mark.parametrize(
    ("status", "title", "answer"),
    [
        (404, "Nothing here", lambda asked: rest.missing(asked, Http404())),
        (403, "This form is too old", rest.forged),
        (400, "Not understood", lambda asked: rest.malformed(asked, SuspiciousOperation())),
        (500, "Something failed", rest.failed),
        (403, "Not for you", lambda asked: defaults.permission_denied(asked, PermissionDenied())),
    ],
)
def test_what_is_refused_has_a_page_that_says_so_and_leads_on(status, title, answer):
    asked = RequestFactory().get("/nowhere", headers=PAGE)

    refused = answer(asked)

    text = refused.content.decode()
    assert refused.status_code == status
    assert f"<title>{title} | Aegis</title>" in text
    assert f"<h1>{title}</h1>" in text
    assert reverse("admin:index") in text
