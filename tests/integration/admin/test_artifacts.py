"""Files on the page of a session, and the page of each."""

import base64
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sessions.models import Artifact
from sessions.services import artifacts
from tests.integration.admin.help import address, text

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="
)


@pytest.fixture
def session(client, superuser, new_session):
    """A session of somebody who may everything, who is signed in."""
    client.force_login(superuser)
    return new_session("desk")


@pytest.fixture
def write(session, asking):
    """Write a file in the session."""

    def made(name: str, content: bytes, **more):
        said = {"name": name, "content": content, **more}
        return artifacts.create(principal=asking, session=session, **said)

    return made


def page_of(client, session, row, **query):
    return client.get(address(session, "artifact", row.pk), query)


def test_the_tab_lists_each_file_once_with_its_versions(client, session, write):
    for content in (b"one", b"two words"):
        write("reports/day.md", content)

    page = client.get(address(session), {"tab": "artifacts"})

    assert "reports/day.md text/markdown 9 bytes 2 root" in text(page)
    assert f"/artifacts/{Artifact.objects.get(version=2).pk}/content" in page.content.decode()


def test_a_session_without_files_says_what_they_are(client, session):
    assert "No files yet" in text(client.get(address(session), {"tab": "artifacts"}))


def test_a_file_is_uploaded_under_its_name_or_another(client, session):
    def post(name: str):
        file = SimpleUploadedFile("a.txt", b"hello")
        return client.post(address(session, "artifact_upload"), {"file": file, "name": name})

    post("")
    answer = post("notes/b.txt")

    found = list(Artifact.objects.order_by("name").values_list("name", "version", "size"))
    assert found == [("a.txt", 1, 5), ("notes/b.txt", 1, 5)]
    assert answer["Location"] == address(
        session, "artifact", Artifact.objects.get(name="notes/b.txt").pk
    )


@pytest.mark.parametrize(
    ("name", "said", "problem"),
    [
        ("a.txt", {}, "Choose a file first."),
        ("a.txt", {"name": "../../etc/passwd"}, "A file is named by parts"),
    ],
)
def test_what_cannot_be_written_is_told(client, session, name, said, problem):
    file = {"file": SimpleUploadedFile(name, b"hello")} if said else {}

    answer = client.post(address(session, "artifact_upload"), {**file, **said}, follow=True)

    assert problem in text(answer)
    assert not Artifact.objects.exists()


def test_a_page_is_shown_as_its_text_and_a_picture_as_one(client, session, write):
    page = page_of(client, session, write("a.html", b"<script>alert(1)</script>"))
    picture = page_of(client, session, write("a.png", PNG)).content.decode()
    # What a name says is nothing to go by.
    liar = page_of(client, session, write("b.png", b"<svg onload='x()'/>"))

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.content.decode()
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in picture
    assert "&lt;svg onload=" in liar.content.decode()


def test_what_is_neither_or_too_large_is_not_shown(client, session, write):
    zipped = page_of(client, session, write("a.bin", b"PK\x03\x04\x00\x00"))
    large = page_of(client, session, write("b.txt", b"x" * (1024 * 1024 + 1)))

    assert "application/zip is not shown here." in text(zipped)
    assert "It is too large to be shown here." in text(large)


def test_an_analyzer_says_what_is_in_it(client, session, write):
    page = text(page_of(client, session, write("a.txt", b'{"n": [1, 2]}'), analysis=1))

    assert "By its content it is json ( application/json ), read as data" in page


def test_a_link_is_made_followed_by_anybody_and_withdrawn(client, session, write):
    row, anonymous = write("a.txt", b"hello"), Client()

    page = client.post(address(session, "artifact_link", row.pk), {"seconds": "600"})
    [link] = re.findall(r"http://testserver(/api/v1/files/[^<]+)<", page.content.decode())
    before = anonymous.get(link)
    client.post(address(session, "artifact_withdraw", row.pk))
    after = anonymous.get(link)

    assert "no-store" in page["Cache-Control"]
    assert (before.status_code, before.content, after.status_code) == (200, b"hello", 404)


def test_a_link_for_as_long_as_nobody_offers_is_refused(client, session, write):
    row = write("a.txt", b"hello")

    answer = client.post(
        address(session, "artifact_link", row.pk), {"seconds": "999999"}, follow=True
    )

    assert "VALIDATION_ERROR" in text(answer)


def test_a_version_is_removed(client, session, write):
    first, second = write("a.txt", b"1"), write("a.txt", b"22")

    answer = client.post(address(session, "artifact_remove", second.pk), follow=True)

    assert "Version 2 of a.txt is removed." in text(answer)
    assert list(Artifact.objects.all()) == [first]


def test_who_may_not_read_messages_has_no_such_tab(client, viewer, session, write):
    row = write("secret.txt", b"hello")
    client.force_login(viewer)

    page = client.get(address(session), {"tab": "artifacts"})

    assert "?tab=artifacts" not in page.content.decode()
    assert "ae-artifacts" not in page.content.decode()
    assert page_of(client, session, row).status_code == 403


def test_the_list_takes_as_many_queries_for_three_as_for_one(
    client, session, write, django_assert_max_num_queries
):
    write("a.txt", b"1")
    with django_assert_max_num_queries(40) as one:
        client.get(address(session), {"tab": "artifacts"})
    write("b.txt", b"1")
    write("b.txt", b"2")

    with django_assert_max_num_queries(40) as three:
        client.get(address(session), {"tab": "artifacts"})

    assert len(three) == len(one)
