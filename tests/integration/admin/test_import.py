"""The page that makes a session of a capsule, as its plain form is sent."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from sessions.models import Session
from sessions.services import capsules
from tests.integration.admin.help import address, text

IMPORT = reverse("admin:aegis_sessions_session_bring")


@pytest.fixture
def raw(client, superuser, new_session, asking):
    """A capsule of a session that is here, and somebody who may all."""
    client.force_login(superuser)
    file = io.BytesIO()
    capsules.export(principal=asking, session=new_session("desk", memory={"n": 1}), file=file)
    return file.getvalue()


def sent(client, raw: bytes, **said: str):
    return client.post(IMPORT, {"file": SimpleUploadedFile("desk.capsule", raw), **said})


def test_the_form_makes_a_session_and_leads_to_it(client, raw):
    answer = sent(client, raw, key="again", team="default")

    made = Session.objects.get(key="again")
    assert answer["Location"] == address(made)
    assert made.memory == {"n": 1}


def test_what_is_refused_stands_above_the_form(client, raw):
    taken = sent(client, raw, key="desk")
    broken = sent(client, b"x")
    nothing = client.post(IMPORT, {})

    assert (taken.status_code, "SESSION_ALREADY_EXISTS" in text(taken)) == (409, True)
    assert 'value="desk"' in taken.content.decode()
    assert (broken.status_code, "This is no capsule." in text(broken)) == (400, True)
    assert (nothing.status_code, "Choose a file first." in text(nothing)) == (400, True)
    assert Session.objects.count() == 1


def test_who_may_not_bring_one_is_offered_nothing(client, viewer, new_session):
    client.force_login(viewer)
    page = client.get(reverse("admin:aegis_sessions_session_changelist"))
    config = client.get(address(new_session("desk")), {"tab": "config"})

    assert client.get(IMPORT).status_code == 403
    assert IMPORT not in page.content.decode()
    assert "one file" not in text(config)
