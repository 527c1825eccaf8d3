import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from components.core.programs import Draft
from components.models import Launch, Program
from components.services import programs
from streaming.models import AuditEntry
from tests.integration.admin.help import COMPONENTS, PROGRAMS, principal, text

FORM = {
    "name": "feed",
    "argv": "python3\nexamples/feed.py\n--name\ntwo words",
    "environment": "MODE=fast\nURL=http://x/?a=b",
    "directory": "",
    "restart": "always",
    "restart_limit": "7",
    "backoff_seconds": "0.5",
    "backoff_most_seconds": "20",
    "settled_seconds": "60",
    "stop_grace_seconds": "3",
    "team": "",
}


@pytest.fixture
def admin(client, superuser):
    client.force_login(superuser)
    return client


@pytest.fixture
def reader(client, person):
    # Django's own permission to change them makes nobody an administrator.
    permissions = ("view_program", "add_program", "change_program", "delete_program")
    user = person("rita", *(f"aegis_components.{one}" for one in permissions))
    client.force_login(user)
    return client


@pytest.fixture
def define(superuser):
    def make(name: str = "feed", **rest) -> Program:
        draft = Draft(name=name, argv=("run", "it"), environment={"KEY": "s3cr3t"})
        return programs.define(principal=principal(superuser), draft=draft, **rest).program

    return make


def test_an_administrator_defines_changes_and_removes_a_program(admin, team):
    made = admin.post(f"{PROGRAMS}add/", FORM)
    row = Program.objects.get()
    page = admin.get(f"{PROGRAMS}{row.pk}/change/").content.decode()
    changed = admin.post(
        f"{PROGRAMS}{row.pk}/change/", FORM | {"argv": "true", "team": str(team.pk)}
    )
    after = Program.objects.get()
    removed = admin.post(f"{PROGRAMS}{row.pk}/remove/", follow=True)

    assert (made.status_code, made["Location"]) == (302, PROGRAMS)
    assert row.argv == ["python3", "examples/feed.py", "--name", "two words"]
    assert row.environment == {"MODE": "fast", "URL": "http://x/?a=b"}
    assert (row.restart, row.restart_limit, row.backoff_seconds) == ("always", 7, 0.5)
    assert "URL=http://x/?a=b" in page
    assert changed.status_code == 302
    assert (after.argv, after.team) == (["true"], team)
    assert "feed is removed." in text(removed)
    assert not Program.objects.exists()
    commands = AuditEntry.objects.order_by("pk").values_list("command", flat=True)
    assert list(commands) == ["program.define", "program.change", "program.remove"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "two words"}, "A name has 1 to 100"),
        ({"argv": "\n"}, "The first word of argv is the program."),
        ({"environment": "novalue"}, "Each line is NAME=value."),
        ({"environment": "AEGIS_URL=x"}, "Aegis&#x27; own"),
        ({"directory": "relative"}, "absolute path"),
        ({"stop_grace_seconds": "301"}, "less than or equal to 300"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(admin, wrong, says):
    page = admin.post(f"{PROGRAMS}add/", FORM | wrong)

    assert says in page.content.decode()
    assert not Program.objects.exists()


def test_a_name_that_is_taken_is_told(admin, define):
    define()

    assert "A program feed exists." in text(admin.post(f"{PROGRAMS}add/", FORM))


def test_nobody_but_an_administrator_writes(reader, define):
    row = define()

    added = reader.post(f"{PROGRAMS}add/", FORM)
    changed = reader.post(f"{PROGRAMS}{row.pk}/change/", FORM)
    removed = reader.post(f"{PROGRAMS}{row.pk}/remove/", follow=True)

    page = reader.get(f"{PROGRAMS}{row.pk}/change/").content.decode()
    assert (added.status_code, changed.status_code) == (403, 403)
    assert "PERMISSION_DENIED" in text(removed)
    assert list(Program.objects.values_list("argv", flat=True)) == [["run", "it"]]
    assert "KEY" in page
    assert "s3cr3t" not in page + reader.get(PROGRAMS).content.decode()
    assert 'name="_save"' not in page


def test_programs_of_other_teams_are_not_there(reader, define, other_team):
    row = define(team=other_team)

    assert "feed" not in text(reader.get(PROGRAMS))
    assert reader.get(f"{PROGRAMS}{row.pk}/change/").status_code == 302


def test_who_may_not_read_them_has_no_place_for_them(client, viewer):
    client.force_login(viewer)

    assert client.get(PROGRAMS).status_code == 403
    assert PROGRAMS not in client.get("/admin/aegis_sessions/session/").content.decode()


def test_list_costs_the_same_queries_for_one_and_three_rows(admin, define):
    define("a")
    admin.get(PROGRAMS)
    with CaptureQueriesContext(connection) as for_one:
        admin.get(PROGRAMS)
    for name in ("b", "c"):
        define(name)

    with CaptureQueriesContext(connection) as for_three:
        admin.get(PROGRAMS)

    assert len(for_three) == len(for_one)


def test_a_component_shows_its_program_and_process(admin, define, new_session, new_component):
    row = new_component(new_session("one"), "prices", program=define())
    Launch.objects.create(
        component=row, program=row.program, state="running", pid=4711, attempt=2, exit_code=-9
    )

    page = text(admin.get(f"{COMPONENTS}{row.pk}/change/"))
    listed = text(admin.get(PROGRAMS))

    assert "process 4711, attempt 2, before: exited -9" in page
    assert "Running" in page
    assert "run it on-failure at most 5 in a row every team 1 running" in listed
