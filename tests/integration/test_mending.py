"""What `aegis doctor --fix` does by itself, and how `--watch` tells what changed."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from aegis_project import health
from aegis_project.health import Finding, State
from sessions.checks import rows
from sessions.management import aegis_doctor
from streaming.models import AuditEntry
from streaming.selectors import audit
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


@pytest.fixture
def key(settings: Any, tmp_path: Path) -> Path:
    """A secret key that others can read."""
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update={"home": tmp_path})
    file = tmp_path / "secret_key"
    file.write_text("key")
    file.chmod(0o644)
    return file


def test_what_is_safe_is_done_and_told_and_audited(key: Path, capsys):
    with pytest.raises(CommandError) as before:
        call_command("aegis", "doctor", "--only", "home,clock")
    said = capsys.readouterr().err

    call_command("aegis", "doctor", "--only", "home,clock", "--fix", "--json")

    told = capsys.readouterr()
    document, entry = json.loads(told.out), AuditEntry.objects.latest("pk")
    assert (before.value.returncode, stat.S_IMODE(key.stat().st_mode)) == (9, 0o600)
    assert "aegis doctor --fix --only home does what can be done by itself." in said
    assert told.err.startswith("home: The secret key is its owner's alone.\n")
    assert document["meta"]["mended"] == ["home"]
    assert {one["state"] for one in document["data"]} == {"ok"}
    assert (entry.command, entry.target, entry.principal_id) == (
        "installation.mend",
        "home",
        "system:cli",
    )


def test_what_is_well_is_left_alone(capsys):
    count = AuditEntry.objects.count()

    call_command("aegis", "doctor", "--only", "clock,server", "--fix")

    assert "Nothing is to be done" in capsys.readouterr().err
    assert AuditEntry.objects.count() == count


def test_the_audit_is_sealed(monkeypatch, capsys):
    monkeypatch.setattr(rows, "MOST_UNSEALED", 0)
    factories.session()

    call_command("aegis", "doctor", "--only", "sealer", "--fix")

    assert "entries of the audit were sealed." in capsys.readouterr().err
    # What was mended is an entry, too.
    assert audit.unsealed_count() <= 1


def test_tables_are_brought_up_to_date(monkeypatch):
    called: list[Any] = []
    monkeypatch.setattr(health, "call_command", lambda *words, **said: called.append(words))

    assert health.FIXES["migrations"]() == "The migrations were applied."
    assert called == [("migrate",)]


def test_only_what_changed_is_told_again(monkeypatch, capsys):
    rows = [[Finding("a", state, "said")] for state in (State.OK, State.OK, State.WARNING)]

    def examine(_names: Any) -> list[Finding]:
        if not rows:
            raise KeyboardInterrupt
        return rows.pop(0)

    monkeypatch.setattr(health, "examine", examine)
    monkeypatch.setattr(aegis_doctor, "WATCH_SECONDS", 0)

    with pytest.raises(CommandError) as left:
        call_command("aegis", "doctor", "--watch", "--json")

    told = [json.loads(line)["data"] for line in capsys.readouterr().out.splitlines()]
    assert left.value.returncode == 130
    assert [[one["state"] for one in found] for found in told] == [["ok"], ["warning"]]
