"""Files of a session: versions, names that stay in the sandbox, and bytes that stay as they were."""

from functools import partial
from uuid import uuid4

import pytest
from django.conf import settings

from aegis_project.kit.errors import (
    InvalidState,
    PayloadTooLarge,
    PermissionDenied,
    ServiceUnavailable,
    ValidationFailed,
)
from sessions.core.errors import ArtifactNotFound, SessionNotFound
from sessions.core.lifecycle import State
from sessions.files import storage
from sessions.models import Artifact
from sessions.selectors import artifacts as selecting
from sessions.services import artifacts
from tests import factories, threads
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)


def write(session, name="report.md", content=b"# One", **more):
    return artifacts.create(principal=OPERATOR, session=session, name=name, content=content, **more)


def test_a_file_is_kept_as_it_is_and_told():
    session = factories.session()

    made = write(session, content="# Größe".encode())

    assert selecting.content(made) == "# Größe".encode()
    assert factories.told(session)[-1] == (
        "artifact.created",
        {
            "artifact": str(made.pk),
            "name": "report.md",
            "version": 1,
            "content_type": "text/markdown",
            "size": 9,
            "sha256": made.sha256,
            "run": None,
        },
    )
    assert made.author == OPERATOR.actor


def test_a_name_that_is_there_gets_a_version_and_none_is_changed():
    session = factories.session()
    write(session)
    write(session, "a.bin", b"\x00")

    second = write(session, content=b"# Two")

    assert second.version == 2
    versions = selecting.versions(session.pk, "report.md")
    assert [selecting.content(one) for one in versions] == [b"# Two", b"# One"]
    newest = selecting.newest(session.pk)
    assert [(one.name, one.version) for one in newest] == [("a.bin", 1), ("report.md", 2)]
    assert selecting.named(session.pk, "report.md") == second
    assert selecting.named(session.pk, "report.md", version=1).version == 1


def test_who_write_one_name_together_make_versions():
    session = factories.session()

    threads.together([partial(write, session, content=bytes([n])) for n in range(6)])

    versions = list(selecting.versions(session.pk, "report.md"))
    assert [one.version for one in versions] == [6, 5, 4, 3, 2, 1]
    assert {selecting.content(one) for one in versions} == {bytes([n]) for n in range(6)}


@pytest.mark.parametrize("name", ["../other/x", "/etc/passwd", "a/../../b", ""])
def test_a_name_leads_nowhere_else(name: str):
    with pytest.raises(ValidationFailed):
        write(factories.session(), name)

    assert not Artifact.objects.exists()


def test_the_bytes_stand_in_the_folder_of_the_session_under_an_id():
    session = factories.session()

    made = write(session, "deep/er/report.md")

    place = settings.ENVIRONMENT.home / "storage" / str(session.pk) / "artifacts" / str(made.pk)
    assert place.read_bytes() == b"# One"
    assert place.stat().st_mode & 0o077 == 0


def test_a_file_is_removed_with_its_bytes():
    session = factories.session()
    made, stays = write(session), write(session)

    artifacts.delete(principal=OPERATOR, session=session, artifact=made.pk)

    assert list(Artifact.objects.all()) == [stays]
    with pytest.raises(ServiceUnavailable):
        storage.read(made.path)
    assert factories.told(session)[-1] == (
        "artifact.deleted",
        {"artifact": str(made.pk), "name": "report.md", "version": 1},
    )
    with pytest.raises(ArtifactNotFound):
        artifacts.delete(principal=OPERATOR, session=session, artifact=made.pk)


def test_a_file_of_another_session_is_not_there():
    made = write(factories.session())
    other = factories.session()

    with pytest.raises(ArtifactNotFound):
        selecting.find(other.pk, made.pk)
    with pytest.raises(ArtifactNotFound):
        selecting.find(other.pk, uuid4())
    with pytest.raises(ArtifactNotFound):
        selecting.named(other.pk, "report.md")
    with pytest.raises(ArtifactNotFound):
        artifacts.delete(principal=OPERATOR, session=other, artifact=str(made.pk))


def test_who_may_not_write_does_not():
    session = factories.session()
    reader = factories.member(session.team, scopes=["messages:read"])
    stranger = factories.member(factories.team("others"))

    for principal, refusal in ((reader, PermissionDenied), (stranger, SessionNotFound)):
        with pytest.raises(refusal):
            artifacts.create(principal=principal, session=session.pk, name="a", content=b"")


def test_a_closed_session_takes_no_files():
    with pytest.raises(InvalidState):
        write(factories.session_in(State.ENDED))


def test_files_have_bounds(monkeypatch: pytest.MonkeyPatch):
    session = factories.session()
    with pytest.raises(PayloadTooLarge):
        write(session, content=b"x" * (artifacts.MAX_BYTES + 1))

    monkeypatch.setattr(artifacts, "MAX_SESSION_BYTES", 10)
    write(session, content=b"x" * 10)
    with pytest.raises(PayloadTooLarge):
        write(session, "other", b"x")


def test_bytes_are_never_written_over():
    storage.write("there/artifacts/1", b"one")

    with pytest.raises(ServiceUnavailable):
        storage.write("there/artifacts/1", b"two")

    assert storage.read("there/artifacts/1") == b"one"
    storage.remove("there/artifacts/1")
    storage.remove("there/artifacts/1")
