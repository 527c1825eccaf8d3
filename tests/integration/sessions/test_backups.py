"""The whole instance as one file: taken, proven, and an empty one made of it."""

import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.utils import timezone

from aegis_project import sealed
from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from components.services import credentials
from sessions.core.library_errors import NotEmpty
from sessions.files import storage
from sessions.files.backups import Reader
from sessions.models import Artifact, Attachment, Message, Provider, Session
from sessions.selectors import backups as selecting
from sessions.services import backups
from streaming.models import AuditEntry, Log
from streaming.services import ledger
from tests import emptying, factories
from tests.calling import SYSTEM
from tests.integration.sessions.test_capsules import lived

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]
SECRET = "sk-hidden"


def inhabited() -> Session:
    """An instance with a session in which something of everything happened, people and secrets."""
    session = lived()
    User.objects.create_user("olga", password="hidden").user_permissions.set(
        Permission.objects.filter(codename__in=["view_session", "control_session"])
    )
    credentials.issue(
        principal=SYSTEM, name="desk", scopes=["sessions:read"], team_id=session.team_id
    )
    Provider.objects.create(slug="models", secret=sealed.seal(SECRET))
    return session


def taken() -> bytes:
    file = io.BytesIO()
    backups.write(principal=SYSTEM, file=file)
    return file.getvalue()


def restored(raw: bytes) -> backups.Restored:
    return backups.restore(principal=SYSTEM, reader=Reader(io.BytesIO(raw)))


def emptied() -> None:
    """As where only migrations have been."""
    emptying.forget_audit()
    for model in selecting.models():
        if model not in backups.MADE:
            model._base_manager.all()._raw_delete("default")
    connection.check_constraints()


@pytest.fixture
def _without_guards() -> None:
    """Entries of the audit can be removed, as on a database that has never had any."""
    with connection.cursor() as cursor:
        for statement in emptying.guards().REMOVING[connection.vendor]:
            cursor.execute(statement)


@pytest.mark.usefixtures("_without_guards")
def test_an_empty_instance_becomes_the_one_of_the_backup():
    session = inhabited()
    raw = taken()
    events = [one.body for one in factories.ledger(session)]
    kept = [Attachment.objects.get().path, Artifact.objects.get().path]
    entries = AuditEntry.objects.count()
    emptied()
    for path in kept:
        storage.remove(path)

    done = restored(raw)

    again = Session.objects.get(pk=session.pk)
    assert [one.body for one in factories.ledger(again)] == events
    assert ledger.chain_is_sound(Log.objects.ledger_of(again.pk).get())
    assert sorted(storage.read(path) for path in kept) == [b"hello", b"made"]
    assert (done.files, done.can_unseal) == (2, True)
    assert sealed.unseal(Provider.objects.get().secret) == SECRET
    olga = User.objects.get(username="olga")
    assert olga.check_password("hidden")
    assert olga.has_perm("aegis_sessions.control_session")
    last = AuditEntry.objects.latest("pk")
    assert (AuditEntry.objects.count(), last.command) == (entries + 1, "instance.restore")
    assert last.detail["digest"] == done.manifest.digest
    # What comes next finds room behind what was there.
    assert factories.session(key="next").pk != again.pk
    assert Message.objects.filter(session=again).count() == session.messages.count()


@pytest.mark.usefixtures("_without_guards")
def test_rows_and_moments_stay_as_they_were_to_the_last_digit():
    session = inhabited()
    at = timezone.now() - timedelta(days=9)
    Session.objects.filter(pk=session.pk).update(created_at=at, memory={"n": 1e16, "ü": [0.1]})
    raw = taken()
    emptied()

    manifest = restored(raw).manifest

    row = Session.objects.get(pk=session.pk)
    assert (row.created_at, row.memory) == (at, {"n": 1e16, "ü": [0.1]})
    [own] = list(Reader(io.BytesIO(raw)).lines("tables/aegis_sessions.session.ndjson"))
    assert own["created_at"].startswith(at.strftime("%Y-%m-%dT%H:%M:%S.%f"))
    assert len(manifest.digest) == 64


def test_secrets_stay_sealed_in_it():
    inhabited()

    raw = taken()

    held = zipfile.ZipFile(io.BytesIO(raw))
    assert SECRET.encode() not in b"".join(held.read(name) for name in held.namelist())


def test_where_something_is_nothing_is_restored():
    raw = taken()
    factories.session(key="desk")

    with pytest.raises(NotEmpty):
        restored(raw)

    assert Session.objects.get().key == "desk"


def changed(raw: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """The same file with other bytes in a member."""
    members = zipfile.ZipFile(io.BytesIO(raw))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for one in members.namelist():
            content = members.read(one)
            made.writestr(one, content.replace(old, new) if one == name else content)
    return file.getvalue()


@pytest.mark.usefixtures("_without_guards")
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("tables/aegis_sessions.session.ndjson", b'"desk"', b'"disk"'),
        ("manifest.json", b"aegis.backup", b"aegis.capsul"),
        ("manifest.json", b'"auth.0001_initial"', b'"auth.0009_another"'),
        ("manifest.json", b"tables/auth.group", b"tables/../group"),
    ],
)
def test_what_is_not_as_it_was_written_is_refused_whole(name: str, old: bytes, new: bytes):
    factories.session(key="desk")
    raw = changed(taken(), name, old, new)
    emptied()

    with pytest.raises(ValidationFailed):
        restored(raw)

    assert not Session.objects.exists()
    assert not AuditEntry.objects.exists()


def test_nobody_who_was_given_rights_takes_everything_away():
    member = factories.member(factories.team("default"), scopes=["sessions:read"])

    with pytest.raises(PermissionDenied):
        backups.write(principal=member, file=io.BytesIO())
    assert AuditEntry.objects.latest("pk").outcome == "refused"


def test_another_secret_key_is_noticed(settings: Any):
    manifest = Reader(io.BytesIO(taken())).manifest

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 8, []

    assert not backups._can_unseal(manifest)


@pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning")
def test_the_command_line_takes_one_and_refuses_to_restore_over_something(
    aegis: Any, tmp_path: Any
):
    factories.session(key="desk")
    file = tmp_path / "all.backup"

    made = aegis("backup", str(file), "--json")
    over = aegis("restore", str(file))
    nothing = aegis("restore", str(tmp_path / "no.backup"))
    nowhere = aegis("backup", str(tmp_path / "no" / "file"))

    data = made.document["data"]
    assert (made.code, data["size"]) == (0, file.stat().st_size)
    assert data["digest"] == json.loads(zipfile.ZipFile(file).read("manifest.json"))["digest"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert (over.code, nothing.code, nowhere.code) == (5, 2, 2)
    assert [one.name for one in tmp_path.iterdir()] == ["all.backup"]


@pytest.mark.usefixtures("_without_guards")
def test_it_goes_to_another_database_and_back(settings: Any, tmp_path: Path):
    """To SQLite by the command line, and from there to the database of this test."""
    session = inhabited()
    first, second = tmp_path / "first.backup", tmp_path / "second.backup"
    first.write_bytes(taken())
    digest = Reader(io.BytesIO(first.read_bytes())).manifest.digest
    emptied()
    environment = {
        **os.environ,
        "AEGIS_HOME": str(tmp_path / "home"),
        "AEGIS_DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere.sqlite3",
        "AEGIS_SECRET_KEY": settings.SECRET_KEY,
    }

    there = aegis_elsewhere(environment, "restore", first)
    aegis_elsewhere(environment, "backup", second)
    back = restored(second.read_bytes())

    assert there["digest"] == digest
    assert (there["files"], there["unseals"]) == (2, True)
    assert ledger.chain_is_sound(Log.objects.ledger_of(session.pk).get())
    assert Session.objects.get().key == "desk"
    told = AuditEntry.objects.order_by("-pk").values_list("command", flat=True)
    assert list(told[:3]) == ["instance.restore", "instance.backup", "instance.restore"]
    assert back.manifest.members["tables/aegis_sessions.message.ndjson"] == members(first)


def aegis_elsewhere(environment: dict[str, str], verb: str, file: Path) -> Any:
    done = subprocess.run(
        [sys.executable, "manage.py", "aegis", verb, str(file), "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)["data"]


def members(file: Path) -> Any:
    with file.open("rb") as opened:
        return Reader(opened).manifest.members["tables/aegis_sessions.message.ndjson"]
