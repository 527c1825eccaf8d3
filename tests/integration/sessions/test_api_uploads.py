"""Files that come in pieces: in order, again, after a break; finished with a digest, or given up."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from sessions.files import storage
from sessions.models import Artifact, Attachment, Upload
from sessions.selectors import artifacts as reading
from sessions.services import uploads
from tests import factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db(transaction=True)

UPLOADS = "/api/v1/sessions/k/uploads"
CONTENT = b"time,price\n" + b"2024-08-08,1.5\n" * 20
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def session():
    return factories.session(key="k")


def begin(who: Caller, **other) -> str:
    """The address of an upload that was begun."""
    wanted = {"name": "data/prices.csv", "size": len(CONTENT), "sha256": DIGEST, **other}
    response = who.post(UPLOADS, wanted)
    assert response.status_code == 201, response.content
    return str(response["Location"])


def put(who: Caller, address: str, first: int, last: int, *, content: bytes | None = None) -> Any:
    """What putting these bytes of the file is answered with; the last is not among them."""
    said = f"bytes {first}-{last - 1}/{len(CONTENT)}"
    return who.client.put(
        address,
        CONTENT[first:last] if content is None else content,
        content_type="application/octet-stream",
        headers={**who.headers, "Content-Range": said},
    )


def kept(session: Any) -> list[bytes]:
    """What is in the session's folder of the storage."""
    folder = Path(settings.ENVIRONMENT.home) / "storage" / str(session.pk)
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_file_comes_in_pieces_and_goes_on_after_a_break(program: Caller, session):
    address = begin(program)
    put(program, address, 0, 100)

    # Whoever broke off asks, and sends a little of what is there again.
    stands = program.get(address).json()["received"]
    again = put(program, address, 60, 200).json()["received"]
    whole = put(program, address, 200, len(CONTENT)).json()
    done = program.post(f"{address}/finish", {}).json()

    assert (stands, again, whole["received"], whole["file"]) == (100, 200, len(CONTENT), None)
    row = Artifact.objects.get()
    assert done["file"] == str(row.pk)
    assert (row.name, row.version, row.sha256) == ("data/prices.csv", 1, DIGEST)
    assert reading.content(row) == CONTENT
    assert kept(session) == [CONTENT]
    assert factories.told(session)[-1][0] == "artifact.created"


def test_what_is_done_again_changes_nothing(program: Caller, session):
    address = begin(program)
    put(program, address, 0, len(CONTENT))
    put(program, address, 0, len(CONTENT))

    first = program.post(f"{address}/finish", {"sha256": DIGEST}).json()
    second = program.post(f"{address}/finish", {}).json()
    late = put(program, address, 0, len(CONTENT))

    assert first == second
    assert late.status_code == 200
    assert Artifact.objects.count() == 1
    assert kept(session) == [CONTENT]


def test_a_piece_of_a_process_that_died_is_written_anew(program: Caller, session):
    address = begin(program)
    put(program, address, 0, 100)
    row = Upload.objects.get()
    # It wrote the piece, and was killed before the row said so.
    storage.write(row.place(100), b"half of a pie")

    put(program, address, 100, len(CONTENT))
    program.post(f"{address}/finish", {})

    assert reading.content(Artifact.objects.get()) == CONTENT
    assert kept(session) == [CONTENT]


def test_an_attachment_comes_in_pieces_and_is_what_its_content_is(program: Caller):
    address = begin(program, kind="attachment", name="prices.csv")
    put(program, address, 0, len(CONTENT))

    done = program.post(f"{address}/finish", {}).json()

    row = Attachment.objects.get()
    assert (str(row.pk), row.content_type, row.size) == (done["file"], "text/csv", len(CONTENT))


def test_a_gap_and_an_early_end_say_where_to_go_on(program: Caller):
    address = begin(program)
    put(program, address, 0, 100)

    gap = put(program, address, 101, 200)
    early = program.post(f"{address}/finish", {})

    for refused in (gap, early):
        assert code(refused) == (416, "RANGE_NOT_SATISFIABLE")
        assert refused.json()["error"]["details"] == {"received": 100}


def test_a_piece_that_is_not_what_it_says_is_refused(program: Caller):
    address = begin(program)
    no_range = program.client.put(
        address, b"abc", content_type="application/octet-stream", headers=program.headers
    )

    assert code(no_range) == (400, "VALIDATION_ERROR")
    assert code(put(program, address, 0, 10, content=b"abc")) == (400, "VALIDATION_ERROR")
    assert program.get(address).json()["received"] == 0


def test_a_file_that_is_another_one_is_refused(program: Caller, session):
    address, blind = begin(program, sha256="0" * 64), begin(program, sha256="")
    for one in (address, blind):
        put(program, one, 0, len(CONTENT))

    assert code(program.post(f"{address}/finish", {})) == (400, "VALIDATION_ERROR")
    assert code(program.post(f"{address}/finish", {"sha256": DIGEST})) == (400, "VALIDATION_ERROR")
    assert code(program.post(f"{blind}/finish", {})) == (400, "VALIDATION_ERROR")
    assert not Artifact.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"name": "../a"}, (400, "VALIDATION_ERROR")),
        ({"kind": "attachment"}, (400, "VALIDATION_ERROR")),
        ({"size": 0}, (400, "VALIDATION_ERROR")),
        ({"size": uploads.MAX_BYTES + 1}, (400, "VALIDATION_ERROR")),
        ({"sha256": "x"}, (400, "VALIDATION_ERROR")),
    ],
)
def test_what_cannot_come_is_refused_at_once(program: Caller, wrong, refusal):
    wanted = {"name": "data/prices.csv", "size": 5, **wrong}

    assert code(program.post(UPLOADS, wanted)) == refusal
    assert not Upload.objects.exists()


def test_so_many_are_open_at_once(program: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "MOST_OPEN", 1)
    begin(program)

    assert code(program.post(UPLOADS, {"name": "a", "size": 1})) == (400, "VALIDATION_ERROR")


def test_an_upload_is_given_up_with_all_its_pieces(program: Caller, session):
    address = begin(program)
    put(program, address, 0, 100)

    response = program.delete(address)

    assert response.status_code == 204
    assert code(program.get(address)) == (404, "UPLOAD_NOT_FOUND")
    assert kept(session) == []


def test_uploads_that_nobody_goes_on_with_are_removed(program: Caller, session):
    old, young = begin(program), begin(program)
    for one in (old, young):
        put(program, one, 0, 100)
    at = timezone.now() - timedelta(hours=24.1)
    Upload.objects.filter(pk=old.rpartition("/")[2]).update(updated_at=at)

    removed = [uploads.forget_abandoned(), uploads.forget_abandoned()]

    assert removed == [1, 0]
    assert [str(row.pk) for row in Upload.objects.all()] == [young.rpartition("/")[2]]
    assert kept(session) == [CONTENT[:100]]


def test_uploads_are_out_of_sight_and_need_their_scopes(program: Caller):
    address = begin(program)
    factories.session(key="other")
    stranger, reader = caller(team="others"), caller(["messages:read"])

    assert code(put(stranger, address, 0, 10)) == (404, "SESSION_NOT_FOUND")
    assert code(put(reader, address, 0, 10)) == (403, "PERMISSION_DENIED")
    assert reader.get(address).status_code == 200
    elsewhere = address.rpartition("/")[2]
    assert code(program.get(f"/api/v1/sessions/other/uploads/{elsewhere}")) == (
        404,
        "UPLOAD_NOT_FOUND",
    )
