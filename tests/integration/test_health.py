"""The checks of an installation, the command that shows them, and settings that are refused."""

import html
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from pydantic import SecretStr, ValidationError

from aegis_project import health
from aegis_project.env import Environment, production_faults
from aegis_project.health import Finding, State
from components.models import Credential
from components.services import credentials
from sessions import checks  # noqa: F401 -- it registers its checks
from sessions.core.lifecycle import State as SessionState
from sessions.models import Delivery, Run, Webhook
from sessions.services import lifecycle, runs
from streaming.models import Lease
from tests import asking, factories, stores
from tests.calling import SYSTEM
from tests.serving import ROOT, clean

STRONG = "k" * 50
AWAY = datetime(2100, 1, 1, tzinfo=UTC)

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


@pytest.fixture
def said(settings: Any, tmp_path: Path):
    """Make the environment say something else; its home is fresh."""

    def say(**changes: Any) -> None:
        changed = {"home": tmp_path, "redis_url": "", **changes}
        settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=changed)

    say()
    return say


def found(name: str) -> dict[State, Finding]:
    return {one.state: one for one in health.examine() if one.check == name}


def test_every_check_says_how_it_is_and_whoever_is_not_well_what_to_do(said: Any):
    findings = health.examine()

    assert {one.check for one in findings} == set(health.CHECKS)
    assert all(one.said and (one.fix or one.state is State.OK) for one in findings)
    assert not [one for one in findings if one.state in {State.ERROR, State.UNKNOWN}]


def test_what_is_wrong_is_named_with_its_fix(said: Any, tmp_path: Path):
    (tmp_path / "secret_key").write_text("k")
    (tmp_path / "secret_key").chmod(0o644)
    said(redis_url=f"redis://127.0.0.1:{stores.free_port()}/0", open=True)

    assert "chmod 600" in found("home")[State.ERROR].fix
    assert "AEGIS_REDIS_URL" in found("valkey")[State.ERROR].fix
    assert "--open" in found("open_door")[State.WARNING].fix


def test_a_library_below_its_floor_is_named(monkeypatch: pytest.MonkeyPatch):
    real = metadata.version
    old = {"django": "5.2.1", "redis": "8.0.0"}
    monkeypatch.setattr(metadata, "version", lambda name: old.get(name) or real(name))

    assert sorted(health.below_floor()) == [
        "django is 5.2.1, <5.3,>=5.2.19 is needed.",
        "redis is 8.0.0, <8,>=6.4 is needed.",
    ]


def test_a_check_that_fails_itself_is_unknown_and_the_others_go_on(
    said: Any, monkeypatch: pytest.MonkeyPatch
):
    def broken() -> Any:
        raise RuntimeError

    monkeypatch.setitem(health.CHECKS, "clock", broken)

    findings = health.examine()

    assert found("clock")[State.UNKNOWN].said == "It could not be checked: RuntimeError."
    assert {one.check for one in findings} == set(health.CHECKS)


# What the rows say


def test_each_thing_that_breaks_raises_its_item_and_clears_by_itself(said: Any):
    said(quotas="open_sessions=1")
    well = states()
    session = factories.session_in(SessionState.RUNNING)
    run = asking.run(session)
    Run.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    issued = credentials.issue(
        principal=SYSTEM,
        name="desk",
        scopes=["sessions:read"],
        team_id=session.team_id,
        lifetime=timedelta(days=1),
    )
    webhook = Webhook.objects.create(url="https://a.example", team=session.team, secret="x")
    Delivery.objects.create(
        webhook=webhook, session=session, seq=1, type="run.completed", next_at=timezone.now()
    )
    Delivery.objects.update(next_at=timezone.now() - timedelta(hours=1))
    two = [Lease.objects.create(url=f"http://{n}", expires_at=AWAY) for n in (1, 2)]

    odd = states()
    words = found("credentials")[State.WARNING].said
    credentials.revoke(principal=SYSTEM, credential=issued.credential.pk)
    runs.cancel(principal=SYSTEM, run=run)
    Delivery.objects.all().delete()
    two[0].delete()
    lifecycle.end(principal=SYSTEM, session=session)

    # Nothing else is told of them.
    assert {name: one for name, one in odd.items() if one != well[name]} == {
        "worker": [State.ERROR],
        "credentials": [State.WARNING],
        "webhooks": [State.WARNING],
        "processes": [State.ERROR],
        "quota": [State.WARNING],
    }
    assert words == f"desk ({issued.credential.prefix}): expire within 7 days."
    assert states() == well


def states() -> dict[str, list[State]]:
    """What every check says now."""
    told: dict[str, list[State]] = {}
    for one in health.examine():
        told.setdefault(one.check, []).append(one.state)
    return told


def test_a_credential_that_nobody_ever_used_is_told(said: Any):
    issued = credentials.issue(
        principal=SYSTEM, name="old", scopes=["sessions:read"], team_id=factories.team("t").pk
    )
    Credential.objects.update(created_at=timezone.now() - timedelta(days=31))

    notice = found("credentials")[State.NOTICE]

    assert f"old ({issued.credential.prefix}): are older than 30 days" in notice.said


def test_the_page_and_the_command_say_the_same(
    said: Any, admin_client: Any, capsys: pytest.CaptureFixture[str]
):
    said(open=True)
    session = factories.session()

    page = admin_client.get("/admin/health/").content.decode()
    call_command("aegis", "doctor", "--json")
    told = json.loads(capsys.readouterr().out)["data"]

    shown = re.findall(r'data-check="(\w+)" data-state="(\w+)"', page)
    assert sorted(shown) == sorted((one["check"], one["state"]) for one in told)
    assert all(html.escape(one[word]) in page for one in told for word in ("said", "fix"))
    assert "1 to look at." in page
    assert session.team.name in page


def test_only_whoever_may_read_metrics_sees_the_page(client: Any):
    client.force_login(User.objects.create_user("ana", is_staff=True))

    page, home = client.get("/admin/health/"), client.get("/admin/aegis_sessions/session/")

    assert page.status_code == 403
    assert "/admin/health/" not in home.content.decode()


def test_settings_are_listed_without_their_secrets(said: Any):
    said(secret_key=SecretStr("s3cret"))

    listed = {one.name: one for one in health.listed()}

    assert set(listed) == {f"AEGIS_{name.upper()}" for name in Environment.model_fields}
    assert listed["AEGIS_SECRET_KEY"].value == "set"
    assert "s3cret" not in repr(listed)
    assert all(one.meaning for one in listed.values())


# Production


def test_production_refuses_all_that_is_unsafe_at_once_with_a_fix_each():
    unsafe: dict[str, Any] = {
        "secret_key": "short",
        "secret_key_fallbacks": "short",
        "hosts": "*",
        "open": True,
        "admin_password": "short",
        "public_url": "http://aegis.example",
        "cors_origins": "http://desk.example",
    }

    with pytest.raises(ValidationError) as refused:
        Environment(profile="production", **unsafe)

    told = str(refused.value)
    assert all(f"AEGIS_{name.upper()}" in told for name in unsafe)


def test_production_takes_what_is_safe():
    safe = Environment(
        profile="production",
        secret_key=SecretStr(STRONG),
        hosts="aegis.example",
        public_url="https://aegis.example",
        cors_origins="https://desk.example",
    )

    assert production_faults(safe) == []


def test_the_rules_of_django_for_a_deployment_are_kept_and_doctor_says_so(tmp_path: Path):
    safe = {
        "AEGIS_PROFILE": "production",
        "AEGIS_SECRET_KEY": "".join(map(chr, range(50, 110))),
        "AEGIS_HOSTS": "aegis.example",
        "AEGIS_HOME": str(tmp_path),
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "aegis", "doctor", "--json"],
        cwd=ROOT,
        env={**clean(), **safe},
        capture_output=True,
        text=True,
        check=False,
    )

    states = {one["check"]: one["state"] for one in json.loads(done.stdout)["data"]}
    assert states["profile"] == "ok", done.stdout
    # There are no tables yet.
    assert (states["migrations"], done.returncode) == ("error", 9)


def test_doctor_looks_at_what_was_named_alone(capsys: pytest.CaptureFixture[str]):
    call_command("aegis", "doctor", "--only", "clock,home", "--json")
    found = capsys.readouterr()

    with pytest.raises(CommandError) as refused:
        call_command("aegis", "doctor", "--only", "clock,moon")

    assert [one["check"] for one in json.loads(found.out)["data"]] == ["clock", "home"]
    assert found.err == "2 ok\n"
    assert refused.value.returncode == 2
    assert "moon is no check; there are profile, " in capsys.readouterr().err
