"""What `aegis serve` refuses, and what `aegis run` prepares."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pydantic import SecretStr

from components.models import Credential
from sessions.management import demo, preparation, serving
from sessions.management.serving import CannotServe, Plan
from sessions.services import lifecycle

EVERYWHERE = "0.0.0.0"  # noqa: S104 -- nothing is bound to it here
SYSTEM = demo.PRINCIPAL


@pytest.fixture
def setting(settings, monkeypatch):
    """Change a setting of the environment for one test."""
    return lambda name, value: monkeypatch.setattr(settings.ENVIRONMENT, name, value)


def test_open_server_listens_on_loopback_only():
    with pytest.raises(CannotServe, match="without credentials"):
        serving.refuse_unless_safe(Plan(host=EVERYWHERE, is_open=True))


def test_open_by_the_environment_listens_on_loopback_only(setting):
    setting("open", True)

    with pytest.raises(CannotServe, match="without credentials"):
        serving.refuse_unless_safe(Plan(host=EVERYWHERE))


@pytest.mark.parametrize("plan", [Plan(), Plan(host="::1", is_open=True), Plan(host=EVERYWHERE)])
def test_what_is_safe_is_not_refused(plan):
    serving.refuse_unless_safe(plan)


def test_several_processes_need_shared_stores(setting):
    setting("redis_url", "")

    with pytest.raises(CannotServe, match=r"PostgreSQL|Valkey"):
        serving.refuse_unless_safe(Plan(processes=2))


@pytest.mark.django_db
def test_migrated_database_is_served():
    preparation.refuse_unless_migrated()

    assert preparation.migrate().endswith("is up to date.")


@pytest.mark.django_db
def test_first_administrator_gets_a_password_that_is_said_once(setting):
    setting("admin_password", SecretStr(""))

    said = preparation.first_administrator()

    admin = User.objects.get(username="admin")
    name, _, password, *_ = said.split()
    assert (name, admin.is_superuser) == ("admin", True)
    assert admin.check_password(password)
    assert [team.name for team in admin.groups.all()] == ["default"]
    assert password not in preparation.first_administrator()


@pytest.mark.django_db
def test_first_administrator_gets_the_password_of_the_environment_unsaid(setting):
    setting("admin_password", SecretStr("a given pass phrase"))

    said = preparation.first_administrator()

    assert User.objects.get(username="admin").check_password("a given pass phrase")
    assert "given" not in said


@pytest.mark.django_db
def test_present_administrator_is_left_alone():
    User.objects.create_superuser("root", "", "as before")

    said = preparation.first_administrator()

    assert said.startswith("root, ")
    assert "manage.py changepassword root" in said
    assert User.objects.count() == 1
    assert User.objects.get().check_password("as before")


@pytest.mark.django_db
def test_demo_session_is_starting_with_three_required_components():
    with demo.prepared(None) as shown:
        session = shown.session
        session.refresh_from_db()
        rows = session.components.order_by("name").values_list("name", "role", "required")

        assert (session.key, session.name) == ("btc-demo", "BTC moving average")
        assert (session.kind, session.mode) == ("stream", "realtime")
        assert (session.environment, session.metadata) == ("test", {"demo": True})
        assert session.is_starting
        assert list(rows) == [
            ("feed", "feed", True),
            ("sink", "sink", True),
            ("strategy", "strategy", True),
        ]


@pytest.mark.django_db
def test_second_demo_goes_on_with_the_same_session_and_another_token():
    with demo.prepared(None) as first:
        pass
    with demo.prepared(None) as second:
        usable = Credential.objects.filter(session=second.session, revoked_at=None).count()

    assert first.session.pk == second.session.pk
    assert usable == 1
    assert not Credential.objects.filter(revoked_at=None).exists()


@pytest.mark.django_db
def test_demo_after_its_session_was_ended_has_a_new_one():
    with demo.prepared(None) as first:
        lifecycle.end(principal=SYSTEM, session=first.session)

    with demo.prepared(None) as second:
        assert (first.session.key, second.session.key) == ("btc-demo", "btc-demo-2")


def test_programs_of_the_demo_are_in_the_checkout(settings):
    missing = [part for part in demo.PARTS if not Path(settings.BASE_DIR, part.program).exists()]

    assert missing == []
