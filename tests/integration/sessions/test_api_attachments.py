import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sessions.core.conversation import Role
from sessions.core.lifecycle import State
from sessions.models import Attachment, Message, Session
from sessions.selectors import history
from tests import factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db(transaction=True)

SESSIONS = "/api/v1/sessions"
NOBODY = "00000000-0000-0000-0000-000000000000"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.fixture
def session() -> Session:
    return factories.session(key="k", config={"max_attachments": 2, "max_attachment_size": 4096})


def upload(
    who: Caller, content: bytes = b"Hello", name: str = "a.txt", *, to: str = "k", key: str = ""
) -> Any:
    """What bringing a file in is answered with."""
    return who.client.post(
        f"{SESSIONS}/{to}/attachments",
        {"file": SimpleUploadedFile(name, content)},
        headers={**who.headers, **({"Idempotency-Key": key} if key else {})},
    )


def kept(session: Session) -> list[Path]:
    """The files in the storage of a session."""
    folder = Path(settings.ENVIRONMENT.home) / "storage" / str(session.pk)
    return [path for path in folder.rglob("*") if path.is_file()]


# Bringing in


def test_a_file_is_kept_under_no_name_of_its_own_and_told(program: Caller, session: Session):
    response = upload(program, PNG, "photo.png")

    document = response.json()
    assert response.status_code == 201
    assert response["Location"] == f"{SESSIONS}/{session.pk}/attachments/{document['id']}"
    del document["created_at"]
    row = Attachment.objects.get()
    assert document == {
        "id": str(row.pk),
        "session_id": str(session.pk),
        "message_id": None,
        "filename": "photo.png",
        "content_type": "image/png",
        "kind": "image",
        "size": 28,
        "sha256": hashlib.sha256(PNG).hexdigest(),
        "author": "credential:default",
        "metadata": {},
    }
    [path] = kept(session)
    assert (path.name, path.read_bytes()) == (str(row.pk), PNG)
    assert factories.told(session)[-1] == (
        "attachment.uploaded",
        {
            "attachment": str(row.pk),
            "filename": "photo.png",
            "content_type": "image/png",
            "size": 28,
            "sha256": row.sha256,
        },
    )


def test_the_same_key_brings_it_in_once(program: Caller, session: Session):
    first, second = upload(program, key="one"), upload(program, key="one")
    other = upload(program, b"Something else", key="one")

    assert first.json() == second.json()
    assert code(other) == (422, "IDEMPOTENCY_MISMATCH")
    assert len(kept(session)) == Attachment.objects.count() == 1


@pytest.mark.parametrize("name", ["../../up.txt", "/etc/up.txt", "..\\..\\up.txt"])
def test_a_path_in_a_name_leads_nowhere(program: Caller, session: Session, name: str):
    boundary = "b"
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        f"Hello\r\n--{boundary}--\r\n"
    ).encode()

    response = program.send(
        "POST",
        f"{SESSIONS}/k/attachments",
        form,
        content_type=f"multipart/form-data; boundary={boundary}",
    )

    assert (response.status_code, response.json()["filename"]) == (201, "up.txt")
    assert [path.name for path in kept(session)] == [response.json()["id"]]


@pytest.mark.parametrize(
    ("content", "name", "answer"),
    [
        (b"", "a.txt", (400, "VALIDATION_ERROR")),
        (b"x" * 4097, "a.txt", (413, "PAYLOAD_TOO_LARGE")),
        (PNG, "a.pdf", (400, "VALIDATION_ERROR")),
        (b"\x7fELF" + b"\x00" * 60, "a.txt", (400, "VALIDATION_ERROR")),
        (b"x", "a:b.txt", (400, "VALIDATION_ERROR")),
        (b"x", "a.txt.", (400, "VALIDATION_ERROR")),
    ],
)
def test_a_file_that_cannot_be_is_refused_and_not_kept(
    program: Caller, session: Session, content: bytes, name: str, answer
):
    assert code(upload(program, content, name)) == answer
    assert (kept(session), Attachment.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("form", "kind", "answer"),
    [
        (b"{}", "application/json", (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b"x", "multipart/form-data", (400, "VALIDATION_ERROR")),
        (b"x", "multipart/form-data; boundary=b", (400, "VALIDATION_ERROR")),
        (b"", "multipart/form-data; boundary=b", (415, "UNSUPPORTED_MEDIA_TYPE")),
        (
            b'--b\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nx\r\n--b--',
            "multipart/form-data; boundary=b",
            (400, "VALIDATION_ERROR"),
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--',
            "multipart/form-data; boundary=b",
            (400, "VALIDATION_ERROR"),
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'
            b'--b\r\nContent-Disposition: form-data; name="colour"\r\n\r\nred\r\n--b--',
            "multipart/form-data; boundary=b",
            (400, "VALIDATION_ERROR"),
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!\r\n--b--",
            "multipart/form-data; boundary=b",
            (400, "VALIDATION_ERROR"),
        ),
    ],
)
@pytest.mark.usefixtures("session")
def test_a_form_that_cannot_be_is_refused(program: Caller, form: bytes, kind: str, answer):
    found = program.send("POST", f"{SESSIONS}/k/attachments", form, content_type=kind)

    assert code(found) == answer


def test_no_more_files_wait_than_a_message_takes(program: Caller, session: Session):
    answers = [upload(program).status_code for _ in range(3)]

    assert (answers, len(kept(session))) == ([201, 201, 400], 2)


def test_a_closed_session_takes_no_files(program: Caller):
    closed = factories.session_in(State.ENDED)

    assert code(upload(program, to=str(closed.pk))) == (400, "INVALID_STATE")


def test_who_may_not_is_refused(program: Caller, session: Session):
    address = f"{SESSIONS}/k/attachments/{upload(program).json()['id']}"

    assert code(upload(caller(["messages:read"]))) == (403, "PERMISSION_DENIED")
    assert code(upload(caller(team="strangers"))) == (404, "SESSION_NOT_FOUND")
    assert code(upload(Caller())) == (401, "NOT_AUTHENTICATED")
    assert code(caller(["messages:write"]).get(f"{address}/content")) == (403, "PERMISSION_DENIED")
    assert code(caller(team="strangers").get(f"{address}/content")) == (404, "SESSION_NOT_FOUND")
    assert code(caller(["messages:read"]).delete(address)) == (403, "PERMISSION_DENIED")


def test_a_browser_that_is_signed_in_needs_its_token(session: Session, admin_user):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin_user)
    address = f"{SESSIONS}/{session.pk}/attachments"

    refused = browser.post(address, {"file": SimpleUploadedFile("a.txt", b"x")})

    assert code(refused) == (403, "PERMISSION_DENIED")


# Reading and removing


def test_a_file_comes_back_as_it_came_and_never_as_a_page(program: Caller, session: Session):
    page = b"<script>alert(1)</script>"
    made = upload(program, page, "naïve page.html").json()
    address = f"{SESSIONS}/k/attachments/{made['id']}"

    answer = program.get(f"{address}/content")

    assert (answer.status_code, answer.content) == (200, page)
    assert answer["Content-Type"] == "text/html"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''na%C3%AFve%20page.html"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert program.get(address).json() == made
    assert program.get(f"{SESSIONS}/k/attachments").json() == {"data": [made], "next": ""}
    assert session.attachments.count() == 1


@pytest.mark.parametrize("reference", ["none", NOBODY, "%00"])
@pytest.mark.usefixtures("session")
def test_a_file_that_is_not_there_is_404(program: Caller, reference: str):
    address = f"{SESSIONS}/k/attachments/{reference}"

    assert program.get(address).status_code == 404
    assert program.get(f"{address}/content").status_code == 404
    assert program.delete(address).status_code == 404


def test_a_file_is_removed_from_its_message_and_the_disk(program: Caller, session: Session):
    made = upload(program).json()
    program.post(f"{SESSIONS}/k/messages", {"content": "See", "attachments": [made["id"]]})

    answer = program.delete(f"{SESSIONS}/k/attachments/{made['id']}")

    assert answer.status_code == 204
    assert (kept(session), Message.objects.get().attachment_count) == ([], 0)
    assert factories.told(session)[-1] == (
        "attachment.deleted",
        {"attachment": made["id"], "filename": "a.txt"},
    )


# With messages


def test_files_are_given_with_a_message_in_their_order(program: Caller, session: Session):
    ids = [upload(program, name=name).json()["id"] for name in ("b.txt", "a.txt")]

    said = program.post(f"{SESSIONS}/k/messages", {"content": "See", "attachments": ids}).json()
    shown = program.get(f"{SESSIONS}/k/messages").json()["data"]

    assert [one["id"] for one in said["attachments"]] == ids
    assert [one["message_id"] for one in shown[0]["attachments"]] == [said["id"]] * 2
    told = [data for type_, data in factories.told(session) if type_ == "message.created"]
    assert told[0]["attachments"] == 2


def test_a_file_is_given_once_and_only_where_it_came_in(program: Caller, session: Session):
    factories.session(key="other")
    elsewhere = upload(program, to="other").json()["id"]
    mine = upload(program).json()["id"]
    messages = f"{SESSIONS}/{session.key}/messages"

    def given(*ids: str) -> tuple[int, str]:
        return code(program.post(messages, {"content": "x", "attachments": list(ids)}))

    assert given(elsewhere) == (404, "ATTACHMENT_NOT_FOUND")
    assert given(mine, mine) == (400, "INVALID_MESSAGE")
    assert given(mine, NOBODY, elsewhere) == (400, "INVALID_MESSAGE")
    assert given("none") == (400, "VALIDATION_ERROR")
    assert program.post(messages, {"content": "x", "attachments": [mine]}).status_code == 201
    assert given(mine) == (404, "ATTACHMENT_NOT_FOUND")


def test_a_message_said_differently_keeps_its_files(program: Caller, session: Session):
    file = upload(program).json()["id"]
    messages = f"{SESSIONS}/k/messages"
    first = program.post(messages, {"content": "one", "attachments": [file]}).json()

    second = program.post(f"{messages}/{first['id']}/edit", {"content": "eins"}).json()
    program.delete(f"{SESSIONS}/k/attachments/{file}")

    [again] = second["attachments"]
    assert (again["id"] == file, again["filename"]) == (False, "a.txt")
    assert program.get(f"{SESSIONS}/k/attachments/{again['id']}/content").content == b"Hello"
    assert len(kept(session)) == 1


def test_a_model_is_shown_texts_in_the_message_and_pictures_beside_it(
    program: Caller, session: Session
):
    files = [(b"a,b\n1,2\n", "t.csv"), (PNG, "p.png")]
    ids = [upload(program, content, name).json()["id"] for content, name in files]
    program.post(f"{SESSIONS}/k/messages", {"content": "See", "attachments": ids})

    [turn] = history.turns(session.pk, up_to=Message.objects.get())

    assert (turn.role, turn.content) == (
        Role.USER,
        "See\n\n[file t.csv]\na,b\n1,2\n\n[end of t.csv]",
    )
    assert [(one.media_type, one.data, one.name) for one in turn.media] == [
        ("image/png", PNG, "p.png")
    ]


def test_a_model_is_told_of_files_that_it_cannot_see(program: Caller, session: Session):
    made = upload(program, b"PK\x03\x04" + b"\x00" * 60, "a.zip").json()["id"]
    program.post(f"{SESSIONS}/k/messages", {"content": "See", "attachments": [made]})

    [turn] = history.turns(session.pk, up_to=Message.objects.get())

    assert turn.content == "See\n\n[file a.zip: application/zip, 64 bytes]"
