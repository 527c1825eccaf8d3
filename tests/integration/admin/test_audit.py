import csv
import html
import io
import json
import re
from typing import Any

import pytest
from asgiref.sync import async_to_sync  # noqa: TID251 -- what a browser does with a stream
from django.db import connection

from aegis_project.kit.errors import PermissionDenied
from sessions.services import lifecycle
from streaming.models import AuditEntry
from streaming.services import sealing
from tests import emptying, factories
from tests.factories import OPERATOR
from tests.integration.admin.help import AUDIT, address, text

pytestmark = pytest.mark.django_db

READER = "aegis_streaming.view_auditentry"


@pytest.fixture
def admin(client, superuser, team):
    client.force_login(superuser)
    return client


@pytest.fixture
def desk(team, other_team):
    """A session that was started, beside one of another team."""
    emptying.forget_audit()
    found = factories.session(key="desk")
    lifecycle.start(principal=OPERATOR, session=found)
    factories.session(key="elsewhere", team=other_team)
    return found


def test_entries_are_listed_with_who_asked_for_what(admin, desk):
    listed = text(admin.get(AUDIT))

    assert "session.start carried out operator" in listed
    assert "elsewhere" in listed


@pytest.mark.django_db(transaction=True)
def test_a_person_sees_what_the_own_teams_did(client, person, desk):
    client.force_login(person("anna", READER))
    theirs = AuditEntry.objects.get(target="elsewhere")
    own = AuditEntry.objects.exclude(pk=theirs.pk)

    listed = client.get(AUDIT)
    searched = client.get(f"{AUDIT}?q=elsewhere")
    file = told(client.get(f"{AUDIT}export/ndjson/")).splitlines()

    assert shown(listed) == set(own.values_list("pk", flat=True))
    assert {json.loads(line)["id"] for line in file} == shown(listed)
    assert shown(searched) == set()
    assert "elsewhere" not in text(listed)
    assert client.get(f"{AUDIT}{theirs.pk}/change/").status_code == 404


def test_a_search_narrows_the_list_and_the_file(admin, desk):
    query = "?q=session.start"

    listed = text(admin.get(AUDIT + query))

    assert "session.start" in listed
    assert "session.create" not in listed


def test_an_entry_is_shown_with_all_that_it_holds(admin, desk):
    entry = AuditEntry.objects.get(command="session.start")

    page = text(admin.get(f"{AUDIT}{entry.pk}/change/"))

    assert "user:operator" in page
    assert "not sealed yet" in page
    assert "&quot;to&quot;: &quot;running&quot;" in page
    assert admin.get(f"{AUDIT}0/change/").status_code == 404


def test_the_chain_is_verified_with_a_button(admin, desk):
    sealing.seal(lease_id=desk.pk)
    entry = AuditEntry.objects.get(command="session.start")

    whole = admin.post(f"{AUDIT}verify/", follow=True)
    with connection.cursor() as cursor:
        for statement in emptying.guards().OPENED[connection.vendor]:
            cursor.execute(statement)
        cursor.execute(
            "UPDATE aegis_streaming_auditentry SET actor = 'x' WHERE id = %s", [entry.pk]
        )
    broken = admin.post(f"{AUDIT}verify/", follow=True)

    assert "entries, chain whole" in text(whole)
    assert f"The chain is broken. Entry {entry.pk} at place {entry.place} was changed" in text(
        broken
    )


@pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
def test_nobody_changes_anything(admin, desk, page: str):
    pk = AuditEntry.objects.order_by("pk").values_list("pk", flat=True)[0]

    answer = admin.post(AUDIT + page.format(pk=pk), {"command": "x", "post": "yes"})

    assert answer.status_code in {403, 404, 405}
    assert AuditEntry.objects.filter(pk=pk).exists()


@pytest.mark.parametrize("page", ["", "1/change/", "export/csv/"])
def test_without_the_permission_there_is_nothing(client, viewer, desk, page: str):
    client.force_login(viewer)

    assert client.get(AUDIT + page).status_code == 403
    assert client.post(f"{AUDIT}verify/").status_code == 403
    assert "Audit" not in text(client.get(address(desk)))


def test_the_page_of_a_session_has_its_entries(client, person, desk):
    client.force_login(person("anna", READER, "aegis_sessions.view_session"))

    page = text(client.get(f"{address(desk)}?tab=audit"))

    assert "session.start carried out operator" in page
    assert "All entries of this session" in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_a_file_has_what_the_list_shows(admin, desk, form: str):
    with pytest.raises(PermissionDenied):
        lifecycle.pause(principal=factories.member(desk.team, scopes=[]), session=desk)
    listed = admin.get(f"{AUDIT}?q=desk&outcome__exact=ok")
    (link,) = re.findall(rf'href="({AUDIT}export/{form}/[^"]*)"', listed.content.decode())

    file = told(admin.get(html.unescape(link)))
    lines = [json.loads(one) for one in file.splitlines()] if form == "ndjson" else table(file)

    assert [one["command"] for one in lines] == ["session.create", "session.start"]
    assert {int(one["id"]) for one in lines} == shown(listed)
    for one in lines:
        row = AuditEntry.objects.get(pk=one["id"])
        assert (one["actor"], one["target"], one["outcome"]) == (row.actor, "desk", "ok")
    assert admin.get(f"{AUDIT}export/xml/").status_code == 404


def shown(listed: Any) -> set[int]:
    """The entries that a page lists, by what their rows lead to."""
    return {int(one) for one in re.findall(rf'href="{AUDIT}(\d+)/change/', listed.content.decode())}


def table(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file)))


def told(answer: Any) -> str:
    async def read() -> str:
        return b"".join([part async for part in answer.streaming_content]).decode()

    return async_to_sync(read)()
