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


def test_folders_are_listed_and_files_read_by_their_names(program: Caller):
    for name in ("data/a.csv", "data/a.csv", "data/old/b.csv", "Data/c.csv", "top.md"):
        write(program, name.encode(), query=f"?name={name}")
    sandbox = "/api/v1/sessions/k/sandbox"

    top, data = program.get(sandbox).json(), program.get(f"{sandbox}?folder=data/").json()
    newest = program.get(f"{sandbox}/content?name=data/a.csv")

    folder = {"files": 1, "size": 10, "name": "Data"}
    assert top["folders"] == [folder, {"files": 2, "size": 24, "name": "data"}]
    assert [one["name"] for one in top["files"]] == ["top.md"]
    assert data["folder"] == "data"
    assert data["folders"] == [{"files": 1, "size": 14, "name": "old"}]
    assert [(one["name"], one["version"]) for one in data["files"]] == [("data/a.csv", 2)]
    assert (top["is_cut"], newest.content) == (False, b"data/a.csv")
    assert newest["Content-Disposition"] == 'attachment; filename="a.csv"'


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("?folder=nothing", (404, "ARTIFACT_NOT_FOUND")),
        ("?folder=../k", (400, "VALIDATION_ERROR")),
        ("/content", (400, "VALIDATION_ERROR")),
        ("/content?name=../../etc/passwd", (400, "VALIDATION_ERROR")),
        ("/content?name=a.md&version=9", (404, "ARTIFACT_NOT_FOUND")),
    ],
)
def test_nothing_outside_of_the_sandbox_has_a_name_in_it(
    program: Caller, address: str, answer: Any
):
    write(program)

    assert code(program.get(f"/api/v1/sessions/k/sandbox{address}")) == answer


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


def test_a_file_is_analyzed_by_its_content(program: Caller):
    made = write(program, b"price,size\n1.5,2\n", "picture.png").json()
    address = f"{FILES}/{made['id']}/analysis"

    found = program.get(address).json()
    rows = program.get(f"{address}?analysis_type=transform").json()

    assert found.pop("processing_time_ms") > 0
    assert {key: found[key] for key in ("success", "analyzer", "format", "error")} == {
        "success": True,
        "analyzer": "data",
        "format": "csv",
        "error": None,
    }
    assert (found["data"]["rows"], found["content"]) == (1, "price,size\n1.5,2\n")
    assert rows["content"] == '[{"price": "1.5", "size": "2"}]'
    assert code(program.get(f"{address}?analysis_type=guess")) == (400, "VALIDATION_ERROR")
    assert code(program.get(f"{address}?max_content_length=0")) == (400, "VALIDATION_ERROR")


def test_a_file_is_generated(program: Caller):
    wanted = {"name": "out/a", "type": "data", "format": "csv", "rows": [{"a": 1}, {"b": "=x"}]}

    made = program.post(f"{FILES}/generate", wanted)
    content = program.get(f"{FILES}/{made.json()['id']}/content")

    assert (made.status_code, made.json()["name"]) == (201, "out/a.csv")
    assert made["Location"].endswith(f"/artifacts/{made.json()['id']}")
    assert content.content == b"a,b\r\n1,\r\n,'=x\r\n"
    assert content["Content-Type"] == "text/csv"
    for wrong in ({"format": "pdf"}, {"name": "../a"}, {"rows": [1]}, {"colour": "red"}):
        assert code(program.post(f"{FILES}/generate", wanted | wrong)) == (400, "VALIDATION_ERROR")
    reader = caller(["messages:read"])
    assert code(reader.post(f"{FILES}/generate", wanted)) == (403, "PERMISSION_DENIED")


def test_a_file_that_is_broken_is_told_and_refused_to_strangers(program: Caller):
    made = write(program, b"%PDF-1.4\nnothing", "a.pdf").json()
    address = f"{FILES}/{made['id']}/analysis"

    found = program.get(address).json()

    assert (found["success"], found["analyzer"]) == (False, "document")
    assert found["error"]["code"] == "VALIDATION_ERROR"
    assert code(caller(team="others").get(address)) == (404, "SESSION_NOT_FOUND")
    assert code(caller(["messages:write"]).get(address)) == (403, "PERMISSION_DENIED")


def test_reading_and_writing_have_their_scopes(program: Caller):
    made = write(program).json()
    reader, writer = caller(["messages:read"]), caller(["messages:write"])

    assert code(write(reader)) == (403, "PERMISSION_DENIED")
    assert code(reader.delete(f"{FILES}/{made['id']}")) == (403, "PERMISSION_DENIED")
    assert code(writer.get(f"{FILES}/{made['id']}/content")) == (403, "PERMISSION_DENIED")
    assert code(writer.get(FILES)) == (403, "PERMISSION_DENIED")
