"""A session as one file, from and to a server that was named."""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from aegis_project.kit.errors import ServiceUnavailable
from sessions.management import far_capsules, files, progress
from sessions.models import Session
from tests import factories
from tests.integration.sessions.far_help import AWAY
from tests.integration.sessions.test_api_capsules import READS

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

EXPORT = (*READS, "topics:read")
IMPORT = ("sessions:write", "sessions:control")


@pytest.fixture
def capsule(aegis, far, tmp_path: Path) -> Path:
    """The file of a session that was written elsewhere."""
    factories.session(key="desk", name="Desk")
    file = tmp_path / "desk.capsule"
    far("session", "export", "desk", "-o", str(file), scopes=EXPORT)
    return file


def test_what_is_brought_from_there_is_proven_and_what_the_machine_itself_writes(
    aegis, far, tmp_path: Path, monkeypatch
):
    row = factories.session(key="desk", name="Desk")
    file = tmp_path / "desk.capsule"

    told = far("session", "export", "desk", "-o", str(file), "--json", scopes=EXPORT).document
    refused = far("session", "export", "desk", "-o", str(tmp_path / "not"))
    nowhere = far("session", "export", "desk", "-o", str(tmp_path / "no" / "file"), scopes=EXPORT)
    monkeypatch.delenv("AEGIS_SERVER")
    here = aegis("session", "export", "desk", "-o", str(tmp_path / "here"), "--json").document

    assert told["data"]["session"] == str(row.pk)
    assert {**told["data"], "file": ""} == {**here["data"], "file": ""}
    assert (refused.code, nowhere.code, (tmp_path / "not").exists()) == (4, 2, False)
    assert file.stat().st_size == told["data"]["size"]


def test_what_is_brought_there_is_told_on_the_way(far, capsule: Path, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)

    made = far("session", "import", str(capsule), "--key", "again", "--json", scopes=IMPORT)
    taken = far("session", "import", str(capsule), "--key", "again", scopes=IMPORT)
    nothing = far("session", "import", str(capsule.parent / "no"), scopes=IMPORT)

    size = capsule.stat().st_size
    assert made.document["data"]["key"] == "again"
    assert f"brought {size} of {size}" in made.err
    assert [word in made.err for word in ("proven", "rows")] == [True, True]
    assert (taken.code, taken.err.splitlines()[-2].split()[1]) == (5, "SESSION_ALREADY_EXISTS:")
    assert nothing.code == 2


def test_a_file_that_cannot_be_written_is_not_the_servers_doing(far, tmp_path: Path, monkeypatch):
    factories.session(key="desk")
    file = tmp_path / "desk.capsule"

    @contextmanager
    def whole(_file: Path) -> Iterator[IO[bytes]]:
        with open("/dev/full", "r+b", buffering=0) as full:
            yield full

    monkeypatch.setattr(files, "whole", whole)
    told = far("session", "export", "desk", "-o", str(file), scopes=EXPORT)

    assert (told.code, told.err.splitlines()[-2]) == (
        2,
        f"error: USAGE: --output: No space left on device: {file}",
    )


def test_a_file_that_cannot_be_read_is_not_the_servers_doing(far, capsule: Path, monkeypatch):
    class Torn(io.FileIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    brought = far_capsules._brought

    def broken(server: Any, _file: Any, *given: Any) -> Any:
        with Torn(capsule) as torn:
            return brought(server, torn, *given)

    monkeypatch.setattr(far_capsules, "_brought", broken)
    told = far("session", "import", str(capsule), scopes=IMPORT)

    assert (told.code, "Input/output error" in told.err) == (2, True)


def test_a_server_that_was_away_makes_it_once(far, capsule: Path, monkeypatch):
    monkeypatch.setattr(far_capsules, "PAUSE_SECONDS", 0.0)
    brought = far_capsules._brought

    def breaks_off(*given: Any) -> None:
        brought(*given)
        monkeypatch.setattr(far_capsules, "_brought", brought)
        raise ServiceUnavailable("All was done there, and its last line did not come.")

    AWAY.extend([False, True])
    monkeypatch.setattr(far_capsules, "_brought", breaks_off)
    made = far("session", "import", str(capsule), scopes=IMPORT)
    AWAY.extend([True] * far_capsules.TRIES)
    away = far("session", "import", str(capsule), scopes=IMPORT)

    assert (made.code, away.code, AWAY) == (0, 8, [])
    assert Session.objects.count() == 2
