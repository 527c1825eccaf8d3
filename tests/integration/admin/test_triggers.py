import pytest

from sessions.models import Run, Trigger
from sessions.services import triggers
from sessions.services.triggers import TriggerDraft
from streaming.models import AuditEntry
from tests.factories import OPERATOR
from tests.integration.admin.help import TRIGGERS, text
from tests.integration.sessions import working_help

HIGH = '{"all": [{"path": "price", "op": "gt", "value": 10}]}'
FORM = {"pattern": "prices.*", "schedule": "", "condition": HIGH, "prompt": "{data}"}


@pytest.fixture
def admin(client, superuser, team):
    working_help.agent()
    client.force_login(superuser)
    return client


def form(**more: str) -> dict[str, str]:
    return {**FORM, "cooldown_seconds": "30", "agent": "scribe", **more}


def trigger(**draft) -> Trigger:
    agent = working_help.agent()
    draft = {"pattern": "prices.*", **draft}
    return triggers.create(principal=OPERATOR, agent=agent, draft=TriggerDraft(**draft)).trigger


def test_a_trigger_is_made_listed_changed_and_removed(admin):
    made = admin.post(f"{TRIGGERS}add/", form(), follow=True)
    row = Trigger.objects.get()
    listed = text(admin.get(TRIGGERS))
    address = f"{TRIGGERS}{row.pk}/"
    changed = admin.post(f"{address}change/", form(pattern="", schedule="@daily"), follow=True)
    row.refresh_from_db()
    removed = admin.post(f"{address}remove/", follow=True)

    assert "The trigger of scribe is made." in text(made)
    assert "prices.* scribe its running sessions on never" in listed
    assert "The trigger of scribe is changed." in text(changed)
    assert (row.pattern, row.schedule, row.is_active, row.cooldown_seconds) == (
        *("", "@daily", False),
        30,
    )
    assert "scribe is no more woken by @daily." in text(removed)
    assert not Trigger.objects.exists()
    commands = AuditEntry.objects.filter(target=str(row.pk)).order_by("pk")
    assert list(commands.values_list("command", flat=True)) == [
        *("trigger.create", "trigger.update", "trigger.remove")
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"schedule": "@daily"}, "A trigger has a pattern or a schedule."),
        ({"condition": "{"}, "The JSON is malformed."),
        ({"condition": "[]"}, "A condition is an object."),
        ({"session": "nowhere"}, "There is no such session"),
    ],
)
def test_what_cannot_be_is_told(admin, wrong, says):
    assert says in text(admin.post(f"{TRIGGERS}add/", form(**wrong)))
    assert not Trigger.objects.exists()


def test_a_test_says_what_a_record_would_do_and_begins_nothing(admin):
    working_help.session(key="desk", agent="scribe")
    address = f"{TRIGGERS}{trigger(prompt='Look at {data}.').pk}/test/"

    wakes = text(admin.post(address, {"topic": "prices.BTC", "data": "11"}, follow=True))
    nobody = text(admin.post(address, {"topic": "book", "data": "11"}, follow=True))
    broken = text(admin.post(address, {"topic": "prices.BTC", "data": "{"}, follow=True))

    assert "It would wake scribe in desk." in wakes
    assert "It would be told: Look at 11." in wakes
    assert "It would wake nobody: The topic is not one of the pattern." in nobody
    assert "VALIDATION_ERROR" in broken
    assert not Run.objects.exists()


def test_whoever_only_reads_changes_nothing(client, person, team):
    row = trigger()
    client.force_login(person("rita", "aegis_sessions.view_agent"))
    address = f"{TRIGGERS}{row.pk}/"

    page = client.get(f"{address}change/")
    changed = client.post(f"{address}change/", form(prompt="no"))
    client.post(f"{address}remove/")

    assert (page.status_code, "Save trigger" in text(page)) == (200, False)
    assert changed.status_code == 403
    assert client.get(f"{TRIGGERS}add/").status_code == 403
    assert Trigger.objects.get().prompt == ""
    client.force_login(person("nobody"))
    assert client.get(f"{address}change/").status_code == 403
