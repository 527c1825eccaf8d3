from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sessions.models import Artifact
from tests import factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db(transaction=True)

FILES = "/api/v1/sessions/k/artifacts"
NOBODY = "00000000-0000-0000-0000-000000000000"


def write(
    who: Caller, content: bytes = b"# One", name: str = "a.md", *, query: str = "", key: str = ""
) -> Any:
    """What writing a file is answered with."""
    return who.client.post(
        f"{FILES}{query}",
        {"file": SimpleUploadedFile(name, content)},
        headers={**who.headers, **({"Idempotency-Key": key} if key else {})},
    )


@pytest.fixture(autouse=True)
def session():
    return factories.session(key="k")


def test_a_file_is_written_read_and_downloaded(program: Caller):
    response = write(program, b"<script>1</script>", query="?name=pages/x.html")

    document = response.json()
    row = Artifact.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"/api/v1/sessions/{row.session_id}/artifacts/{row.pk}"
    assert (document["name"], document["version"], document["size"]) == ("pages/x.html", 1, 18)
    assert program.get(f"{FILES}/{row.pk}").json() == document
    page = program.get(f"{FILES}/{row.pk}/content")
    assert page.content == b"<script>1</script>"
    assert page["Content-Disposition"] == 'attachment; filename="x.html"'
    assert page["X-Content-Type-Options"] == "nosniff"


def test_versions_and_the_newest_files_are_listed(program: Caller):
    write(program, b"1")
    write(program, b"22")
    last = write(program, b"x", "b.txt").json()

    newest = program.get(FILES).json()
    (second,) = [one for one in newest["data"] if one["name"] == "a.md"]
    versions = program.get(f"{FILES}/{second['id']}/versions").json()["data"]

    assert [one["name"] for one in newest["data"]] == ["b.txt", "a.md"]
    assert newest["data"][0] == last
    assert [(one["version"], one["size"]) for one in versions] == [(2, 2), (1, 1)]


def test_a_file_is_written_once_under_one_key(program: Caller):
    first, again = write(program, key="x"), write(program, key="x")

    assert first.json() == again.json()
    assert code(write(program, b"other", key="x")) == (422, "IDEMPOTENCY_MISMATCH")
    assert Artifact.objects.count() == 1


def test_a_version_is_removed(program: Caller):
    first = write(program).json()
    second = write(program).json()

    response = program.delete(f"{FILES}/{second['id']}")

    assert response.status_code == 204
    assert [one["id"] for one in program.get(FILES).json()["data"]] == [first["id"]]
    assert code(program.get(f"{FILES}/{second['id']}/content")) == (404, "ARTIFACT_NOT_FOUND")


@pytest.mark.parametrize("name", ["../x", "/x", "a//b"])
def test_a_name_stays_in_the_sandbox(program: Caller, name: str):
    assert code(write(program, query=f"?name={name}")) == (400, "VALIDATION_ERROR")


def test_what_is_not_there_or_out_of_sight_is_not_found(program: Caller):
    made = write(program).json()
    factories.session(key="other")
    stranger = caller(team="others")

    assert code(program.get(f"{FILES}/{NOBODY}")) == (404, "ARTIFACT_NOT_FOUND")
    elsewhere = f"/api/v1/sessions/other/artifacts/{made['id']}"
    assert code(program.get(elsewhere)) == (404, "ARTIFACT_NOT_FOUND")
    assert code(program.delete(elsewhere)) == (404, "ARTIFACT_NOT_FOUND")
    assert code(stranger.get(f"{FILES}/{made['id']}")) == (404, "SESSION_NOT_FOUND")


def test_reading_and_writing_have_their_scopes(program: Caller):
    made = write(program).json()
    reader, writer = caller(["messages:read"]), caller(["messages:write"])

    assert code(write(reader)) == (403, "PERMISSION_DENIED")
    assert code(reader.delete(f"{FILES}/{made['id']}")) == (403, "PERMISSION_DENIED")
    assert code(writer.get(f"{FILES}/{made['id']}/content")) == (403, "PERMISSION_DENIED")
    assert code(writer.get(FILES)) == (403, "PERMISSION_DENIED")
