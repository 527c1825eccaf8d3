from typing import Any

import pytest
from django.contrib.auth.models import User

from aegis_project.kit.principal import ANONYMOUS
from components.services import sign_ins
from streaming.models import AuditEntry

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"
PASSWORD = "correct horse battery"


@pytest.fixture
def anna(settings: Any) -> User:
    # The real ones are slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("anna", password=PASSWORD)


def told() -> list[tuple[str, str, str, str, str]]:
    rows = AuditEntry.objects.order_by("pk")
    return list(rows.values_list("command", "actor", "target", "outcome", "code"))


def test_who_signs_in_and_out_is_noted_with_where_from(client, anna: User):
    client.post(LOGIN, {"username": "anna", "password": PASSWORD}, HTTP_X_REQUEST_ID="r-1")
    client.post("/admin/logout/")

    entry = AuditEntry.objects.get(command="person.login")
    assert told() == [
        ("person.login", "user:anna", "anna", "ok", ""),
        ("person.logout", "user:anna", "anna", "ok", ""),
    ]
    assert (entry.detail, entry.request_id) == ({"address": "127.0.0.1"}, "r-1")
    assert (entry.transport, entry.principal_id) == ("admin", f"user:{anna.pk}")


def test_who_tries_in_vain_is_noted_and_what_is_no_user_is_not_repeated(client, anna: User):
    client.post(LOGIN, {"username": "anna", "password": "guess"})
    client.post(LOGIN, {"username": PASSWORD, "password": "anna"})

    refused = ("person.login_refused", "anonymous:anonymous")
    assert told() == [
        (*refused, "anna", "refused", "NOT_AUTHENTICATED"),
        (*refused, "", "refused", "NOT_AUTHENTICATED"),
    ]
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


def test_whoever_guesses_on_is_only_counted():
    for number in range(sign_ins.NOTED.amount + 3):
        sign_ins.refused(
            asking=ANONYMOUS.via("admin"), username=f"user{number}", address="192.0.2.7"
        )

    assert AuditEntry.objects.count() == sign_ins.NOTED.amount


def test_a_session_that_a_program_opens_is_no_sign_in(client, anna: User):
    client.force_login(anna)

    assert told() == []
