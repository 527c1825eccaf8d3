"""Links with which others read one file for some time."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from sessions.services import lifecycle
from streaming.models import AuditEntry
from tests import factories
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)

ONE = "/api/v1/sessions/k"


@pytest.fixture(autouse=True)
def session():
    return factories.session(key="k")


@pytest.fixture(params=["artifacts", "attachments"])
def file(request, program: Caller) -> str:
    """The address of a page that somebody else wrote."""
    address = f"{ONE}/{request.param}"
    sent = {"file": SimpleUploadedFile("a.html", b"<script>1</script>")}
    made = program.client.post(address, sent, headers=program.headers).json()
    return f"{address}/{made['id']}"


def anybody(url: str):
    """What somebody without credential or cookie gets."""
    return Client().get(url)


def test_whoever_has_a_link_downloads_the_file(program: Caller, file: str):
    made = program.post(f"{file}/link", {"expires_in": 600})

    answer = anybody(made.json()["url"])

    assert made.status_code == 201
    assert (answer.status_code, answer.content) == (200, b"<script>1</script>")
    assert answer["Content-Disposition"] == 'attachment; filename="a.html"'
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["Cache-Control"] == "private, no-store"


def test_a_link_is_over_when_it_says(program: Caller, file: str):
    made = program.post(f"{file}/link", {}).json()

    with time_machine.travel(timezone.now() + timedelta(seconds=3590)):
        assert anybody(made["url"]).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=3601)):
        assert code(anybody(made["url"])) == (404, "NOT_FOUND")


def test_links_that_are_withdrawn_are_over_at_once(program: Caller, file: str):
    old = program.post(f"{file}/link", {}).json()["url"]

    withdrawn = program.delete(f"{file}/link")
    new = program.post(f"{file}/link", {}).json()["url"]

    assert withdrawn.status_code == 204
    assert code(anybody(old)) == (404, "NOT_FOUND")
    assert anybody(new).status_code == 200


def test_a_link_to_what_is_gone_is_none(program: Caller, file: str):
    url = program.post(f"{file}/link", {}).json()["url"]

    program.delete(file)

    assert code(anybody(url)) == (404, "NOT_FOUND")


def test_a_link_into_a_session_that_is_gone_is_none(program: Caller, file: str, session):
    url = program.post(f"{file}/link", {}).json()["url"]

    lifecycle.delete(principal=OPERATOR, session=session)

    assert code(anybody(url)) == (404, "NOT_FOUND")


def test_a_link_that_was_changed_is_none(program: Caller, file: str):
    url = program.post(f"{file}/link", {}).json()["url"]
    begin, _, text = url.rpartition("/")
    kind, one, until, sign = text.split(".")
    other = {"artifact": "attachment", "attachment": "artifact"}[kind]
    changed = [
        f"{kind}.{one}.{int(until) + 1}.{sign}",
        f"{other}.{one}.{until}.{sign}",
        f"{kind}.{one}.{until}.{'0' * 32}",
        "nothing",
    ]

    assert [anybody(f"{begin}/{one}").status_code for one in changed] == [404] * 4


def test_who_gave_a_link_stands_in_the_audit_without_it(program: Caller, file: str):
    url = program.post(f"{file}/link", {}).json()["url"]

    entry = AuditEntry.objects.get(command="file.link")

    assert entry.outcome == AuditEntry.Outcome.OK
    assert url.rpartition(".")[2] not in f"{entry.target}{entry.detail}"


def test_giving_and_withdrawing_have_their_scopes_and_bounds(program: Caller, file: str):
    reader, writer, stranger = (
        caller(["messages:read"]),
        caller(["messages:write"]),
        caller(team="x"),
    )

    assert reader.post(f"{file}/link", {}).status_code == 201
    assert code(reader.delete(f"{file}/link")) == (403, "PERMISSION_DENIED")
    assert code(writer.post(f"{file}/link", {})) == (403, "PERMISSION_DENIED")
    assert code(stranger.post(f"{file}/link", {})) == (404, "SESSION_NOT_FOUND")
    assert code(program.post(f"{file}/link", {"expires_in": 59})) == (400, "VALIDATION_ERROR")
    assert code(program.post(f"{file}/link", {"expires_in": 86_401})) == (400, "VALIDATION_ERROR")
