"""What the page Health does: findings are left alone for a time, told again, and mended."""

import html
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from aegis_project import health, room
from aegis_project.health import Finding, State
from aegis_project.kit.strains import Strain
from sessions.checks import rows
from sessions.core.lifecycle import State as SessionState
from sessions.models import Session, Snooze
from sessions.selectors import snoozes
from streaming.hub.losses import OTHERS
from streaming.models import AuditEntry, Log, Segment
from streaming.models import Strain as Counted
from streaming.services import strains
from tests import factories, stores

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

PAGE, ACT = "/admin/health/", "/admin/health/act/"


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    """A fresh home, and a server that lets everybody on this machine in."""
    changed = {"home": tmp_path, "redis_url": "", "open": True}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=changed)
    return tmp_path


@pytest.fixture
def root(superuser: User) -> Client:
    client = Client()
    client.force_login(superuser)
    return client


def acted(client: Client, act: str, check: str, state: State, **more: Any) -> str:
    """What the page says after a button was pushed."""
    body = {"act": act, "check": check, "state": state.value, **more}
    answer = client.post(ACT, body, follow=True)
    return html.unescape(answer.content.decode())


def snoozed(client: Client, check: str, state: State, reason: str = "moved on Monday") -> str:
    return acted(client, "snooze", check, state, reason=reason, days="7")


def shown(page: str) -> list[tuple[str, str, str]]:
    """Which findings stand under which title."""
    found = []
    for section in page.split("<section")[1:]:
        title = re.search(r'id="ae-health-\d+">(.*?)</h3>', section)
        for check, state in re.findall(r'data-check="(\w+)" data-state="(\w+)"', section):
            assert title is not None
            found.append((title[1], check, state))
    return found


def told_by_doctor(capsys: pytest.CaptureFixture[str], only: str) -> Any:
    call_command("aegis", "doctor", "--only", only, "--json")
    return json.loads(capsys.readouterr().out)["data"]


def test_what_is_snoozed_stands_apart_with_who_why_and_until_and_is_counted(
    home: Path, root: Client, capsys: pytest.CaptureFixture[str]
):
    before = html.unescape(root.get(PAGE).content.decode())
    page = snoozed(root, "open_door", State.WARNING)

    assert "1 to look at." in before
    assert ("To look at", "open_door", "warning") in shown(before)
    assert "1 snoozed." in page
    assert "to look at." not in page
    assert ("Snoozed", "open_door", "warning") in shown(page)
    row = Snooze.objects.get()
    assert (row.author, row.reason) == ("user:root", "moved on Monday")
    assert "Snoozed by user:root until" in page
    assert "moved on Monday" in page
    [told] = told_by_doctor(capsys, "open_door")
    assert told["state"] == "warning"
    assert (told["snoozed"]["by"], told["snoozed"]["reason"]) == ("user:root", "moved on Monday")
    entry = AuditEntry.objects.get(command="health.snooze")
    assert (entry.actor, entry.target, entry.outcome) == ("user:root", "open_door", "ok")
    assert entry.detail["reason"] == "moved on Monday"


def test_it_comes_back_by_itself_and_when_somebody_says_so(home: Path, root: Client):
    snoozed(root, "open_door", State.WARNING)
    Snooze.objects.update(until=timezone.now() - timedelta(seconds=1))
    over = shown(root.get(PAGE).content.decode())
    snoozed(root, "open_door", State.WARNING, "again")
    page = acted(root, "wake", "open_door", State.WARNING)

    assert ("To look at", "open_door", "warning") in over
    assert ("To look at", "open_door", "warning") in shown(page)
    assert Snooze.objects.count() == 0
    assert AuditEntry.objects.filter(command="health.wake", outcome="ok").count() == 1
    assert "Nobody left this alone." in acted(root, "wake", "open_door", State.WARNING)


def test_an_error_is_told_as_it_is_although_somebody_leaves_it_alone(home: Path, root: Client):
    key = home / "secret_key"
    key.write_text("k")
    key.chmod(0o644)

    page = snoozed(root, "home", State.ERROR)

    assert "1 to mend" in page
    assert ("To mend", "home", "error") in shown(page)
    assert "Snoozed by user:root until" in page


def test_what_gets_worse_is_told_again(home: Path, root: Client, monkeypatch: Any):
    snoozed(root, "open_door", State.WARNING)

    def worse() -> Any:
        yield Finding("open_door", State.ERROR, "Wide open.", "Close it.")

    monkeypatch.setitem(health.CHECKS, "open_door", worse)

    [one] = snoozes.examine(["open_door"])
    assert one.snoozed is None


@pytest.mark.parametrize(
    ("check", "state", "more", "said"),
    [
        ("open_door", State.WARNING, {"reason": " ", "days": "7"}, "A reason has 1 to 500"),
        ("open_door", State.WARNING, {"reason": "x", "days": "3650"}, "within 90 days"),
        ("open_door", State.ERROR, {"reason": "x", "days": "7"}, "look at it again"),
        ("database", State.OK, {"reason": "x", "days": "7"}, "no such finding"),
        ("moon", State.ERROR, {"reason": "x", "days": "7"}, "no such finding"),
    ],
)
def test_nothing_else_is_snoozed(
    home: Path, root: Client, check: str, state: State, more: Any, said: str
):
    assert said in acted(root, "snooze", check, state, **more)
    assert not Snooze.objects.exists()


def test_a_button_mends_what_is_safe_to_mend_and_the_audit_knows_who(home: Path, root: Client):
    key = home / "secret_key"
    key.write_text("k")
    key.chmod(0o644)

    before = root.get(PAGE).content.decode()
    page = acted(root, "mend", "home", State.ERROR)

    assert "Mend it: Home" in before
    assert "Mend it: Home" not in page
    assert key.stat().st_mode & 0o777 == 0o600
    assert ("Well", "home", "ok") in shown(page)
    entry = AuditEntry.objects.get(command="installation.mend")
    assert (entry.actor, entry.target) == ("user:root", "home")
    assert entry.detail == {"done": "The secret key is its owner's alone."}
    assert "look at it again" in acted(root, "mend", "home", State.ERROR)
    assert "not mended by a button" in acted(root, "mend", "open_door", State.WARNING)
    assert "no such button" in acted(root, "break", "home", State.ERROR)


def test_whoever_may_not_is_refused_and_the_audit_knows(home: Path, operator: User):
    (home / "secret_key").write_text("k")
    (home / "secret_key").chmod(0o644)
    client = Client()
    client.force_login(operator)

    assert client.get(PAGE).status_code == 403
    snoozed(client, "home", State.ERROR)
    acted(client, "mend", "home", State.ERROR)
    acted(client, "wake", "home", State.ERROR)

    assert not Snooze.objects.exists()
    assert (home / "secret_key").stat().st_mode & 0o777 == 0o644
    refused = AuditEntry.objects.filter(outcome="refused", actor="user:olga").order_by("pk")
    told = ["health.snooze", "installation.mend", "health.wake"]
    assert list(refused.values_list("command", flat=True)) == told


def test_each_dependency_that_breaks_raises_exactly_its_item_and_clears_by_itself(
    home: Path, settings: Any, monkeypatch: Any
):
    def states() -> dict[str, State]:
        return {one.check: one.state for one in snoozes.examine()}

    def odd() -> set[tuple[str, State]]:
        return set(states().items()) - set(well.items())

    def broken() -> Any:
        raise OperationalError

    def set_to(**said: Any) -> None:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=said)

    over = factories.session_in(SessionState.ENDED)
    Session.objects.filter(pk=over.pk).update(stopped_at=timezone.now() - timedelta(days=9))
    set_to(open=False)
    well = states()
    set_to(redis_url=f"redis://127.0.0.1:{stores.free_port()}/0")
    without_valkey = odd()
    set_to(redis_url="", open=True)
    with_an_open_door = odd()
    set_to(open=False, keep_sessions_days=7)
    with_what_should_be_gone = odd()
    set_to(keep_sessions_days=0)
    with monkeypatch.context() as patch:
        patch.setattr(rows, "MOST_UNSEALED", 0)
        without_a_sealer = odd()
    with monkeypatch.context() as patch:
        patch.setattr(health, "SKEW_SECONDS", -1.0)
        with_another_clock = odd()
    with monkeypatch.context() as patch:
        patch.setattr(health, "below_floor", lambda: iter(["django is 5.2.1."]))
        with_old_libraries = odd()
    with monkeypatch.context() as patch:
        patch.setattr(room, "FREE_BYTES", 1 << 62)
        without_room = odd()
    with monkeypatch.context() as patch:
        patch.setattr(MigrationExecutor, "migration_plan", lambda *_: [object()])
        without_tables = odd()
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", broken)
        [database] = health.examine(["database"])

    assert without_valkey == {("valkey", State.ERROR)}
    assert with_an_open_door == {("open_door", State.WARNING)}
    assert with_what_should_be_gone == {("retention", State.WARNING)}
    assert without_a_sealer == {("sealer", State.WARNING)}
    # A file has the clock of its machine.
    is_apart = connection.vendor == "postgresql"
    assert with_another_clock == ({("clock", State.WARNING)} if is_apart else set())
    assert with_old_libraries == {("versions", State.ERROR)}
    assert without_room == {("home", State.WARNING)}
    assert without_tables == {("migrations", State.ERROR)}
    assert database.state is State.ERROR
    assert odd() == set()


def test_what_is_counted_and_relied_upon_raises_exactly_its_item_and_clears_by_itself(
    home: Path, settings: Any
):
    def odd() -> set[tuple[str, State]]:
        return {(one.check, one.state) for one in snoozes.examine()} - well

    def set_to(**said: Any) -> None:
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=said)

    log, now = Log.objects.get(session=factories.session()), timezone.now()
    Segment.objects.create(log=log, epoch="e", last=9, bytes=900, seen_at=now)
    well = set[tuple[str, State]]()
    well = odd()
    strains.write(statements={"SELECT a": Strain(10, 900.0)}, losses={OTHERS: Strain(3)})
    with_what_was_too_slow = odd()
    Counted.objects.update(seen_at=now - timedelta(hours=1))
    set_to(tape_limit_gb=1e-9)
    with_long_tapes = odd()
    set_to(tape_limit_gb=10, redis_url=f"rediss://127.0.0.1:1/0?ssl_ca_certs={home}/gone.pem")
    without_a_certificate = odd()
    set_to(redis_url="")

    assert with_what_was_too_slow == {
        ("slow_statements", State.WARNING),
        ("dropped_records", State.WARNING),
    }
    assert with_long_tapes == {("tape", State.ERROR)}
    # Nobody can be reached so, either.
    assert without_a_certificate == {("valkey", State.ERROR), ("certificates", State.ERROR)}
    assert odd() == set()


def test_a_database_that_does_not_answer_hides_nothing(home: Path, root: Client, monkeypatch: Any):
    snoozed(root, "open_door", State.WARNING)

    def broken(*_: Any) -> Any:
        raise OperationalError

    monkeypatch.setattr(Snooze.objects, "lasting", broken)

    [one] = snoozes.examine(["open_door"])
    assert (one.state, one.snoozed) == (State.WARNING, None)
