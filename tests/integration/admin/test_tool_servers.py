import pytest

from aegis_project import sealed
from sessions.core.tool_servers import ToolServerDraft
from sessions.models import ToolServer
from sessions.services import tool_servers
from streaming.models import AuditEntry
from tests.factories import OPERATOR
from tests.integration.admin.help import TOOL_SERVERS, text

URL = "http://127.0.0.1:1/mcp"
SECRET = '{"Authorization": "Bearer s3"}'


@pytest.fixture
def admin(client, superuser, team):
    client.force_login(superuser)
    return client


def form(**more: str) -> dict[str, str]:
    return {"slug": "search", "url": URL, "command": "", "secret": "", "is_active": "on", **more}


def server() -> ToolServer:
    draft = ToolServerDraft(slug="search", url=URL)
    return tool_servers.create(principal=OPERATOR, draft=draft).tool_server


def test_a_tool_server_is_registered_changed_and_removed(admin):
    made = admin.post(f"{TOOL_SERVERS}add/", form(secret=SECRET), follow=True)
    row = ToolServer.objects.get()
    listed = text(admin.get(TOOL_SERVERS))
    address = f"{TOOL_SERVERS}{row.pk}/"
    changed = admin.post(f"{address}change/", form(is_active=""), follow=True)
    page = text(admin.get(f"{address}change/"))
    row.refresh_from_db()
    removed = admin.post(f"{address}remove/", follow=True)

    assert "search is registered." in text(made)
    assert f"search {URL} not known here sealed yes" in listed
    assert "search is changed." in text(changed)
    assert (sealed.unseal(row.secret), row.is_active) == ('{"Authorization":"Bearer s3"}', False)
    assert "s3" not in page
    assert "its secret is forgotten." in text(removed)
    commands = AuditEntry.objects.filter(target="search").order_by("pk")
    assert list(commands.values_list("command", flat=True)) == [
        *("tool_server.create", "tool_server.update", "tool_server.remove")
    ]


def test_a_secret_is_forgotten_when_somebody_says_so(admin):
    admin.post(f"{TOOL_SERVERS}add/", form(secret=SECRET))
    row = ToolServer.objects.get()

    admin.post(f"{TOOL_SERVERS}{row.pk}/change/", form(forget="on"))

    row.refresh_from_db()
    assert row.secret == ""


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"url": ""}, "A tool server has a url or a command."),
        ({"slug": "No"}, "A slug has 1 to 50 small letters"),
        ({"url": "", "command": "'"}, "No closing quotation."),
        ({"secret": '{"a": 1}'}, "It is a JSON object of texts."),
        ({"secret": "s3cret"}, "It is a JSON object of texts."),
    ],
)
def test_what_cannot_be_is_told_and_no_secret_repeated(admin, wrong, says):
    answer = admin.post(f"{TOOL_SERVERS}add/", form(**wrong))

    assert says in text(answer)
    assert "s3cret" not in answer.content.decode()
    assert not ToolServer.objects.exists()


def test_one_that_does_not_answer_is_told(admin):
    answer = admin.post(f"{TOOL_SERVERS}{server().pk}/test/", follow=True)

    assert "TOOL_EXECUTION_FAILED" in text(answer)


def test_only_an_administrator_sees_them(client, person, team):
    row = server()
    client.force_login(person("rita", "aegis_sessions.view_toolserver"))
    address = f"{TOOL_SERVERS}{row.pk}/"

    page = client.get(f"{address}change/")
    answers = [client.post(f"{address}{one}/", form()) for one in ("change", "test")]
    client.post(f"{address}remove/")

    assert (page.status_code, "Save tool server" in text(page)) == (200, False)
    assert [one.status_code for one in answers] == [403, 403]
    assert ToolServer.objects.filter(slug="search").exists()
    client.force_login(person("nobody"))
    assert client.get(TOOL_SERVERS).status_code == 403
