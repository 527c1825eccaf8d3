"""The nouns of what is registered: providers, tool servers, webhooks and triggers."""

from pathlib import Path

import pytest

from aegis_project import sealed
from sessions.models import Delivery, Provider, ToolServer, Trigger, Webhook
from sessions.selectors import webhooks as reading
from sessions.services import deliveries
from tests import asking, factories
from tests.outside import Reply, outside

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

KEY = "sk-secret"


@pytest.fixture
def key(tmp_path: Path) -> str:
    """A file with a key."""
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    return str(file)


def lines(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines()[1:]]


def test_a_provider_is_created_changed_listed_and_removed(anywhere, key: str):
    made = anywhere(
        "provider", "create", "own", "--base-url", "http://a.example", "--secret-file", key
    )
    changed = anywhere("provider", "update", "own", "--kind", "anthropic", "--json")
    listed = anywhere("provider", "list")
    shown = anywhere("provider", "show", "own", "--json")
    kept = Provider.objects.get().secret
    planned = anywhere("provider", "remove", "own", "--dry-run", "--json")
    removed = anywhere("provider", "remove", "own", "nobody", "--yes", "-q")

    assert made.out == "own  openai  http://a.example\n"
    assert changed.document["schema"] == "aegis.provider.update/1"
    assert changed.document["data"] == shown.document["data"]
    assert lines(listed.out) == [["own", "anthropic", "sealed", "yes", "http://a.example"]]
    assert sealed.unseal(kept) == KEY
    assert KEY not in made.out + changed.out + listed.out + shown.out
    assert planned.document["meta"] == {"count": 1, "dry_run": True}
    assert (removed.out, removed.code) == ("own\n", 7)
    assert not Provider.objects.exists()


def test_the_key_of_a_provider_is_taken_away(anywhere, key: str):
    anywhere("provider", "create", "own", "--secret-file", key)

    anywhere("provider", "update", "own", "--no-secret")

    assert Provider.objects.get().secret == ""


def test_a_tool_server_is_created_changed_listed_and_removed(anywhere, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text('{"X-Key": "sk-secret"}')

    made = anywhere("tool-server", "create", "far", "--url", "http://a.example/mcp", "-q",
                 "--secret-file", str(secret))  # fmt: skip
    anywhere("tool-server", "create", "here", "--command", "python -m 'a server'")
    rested = anywhere("tool-server", "update", "far", "--resting", "--json").document
    listed = anywhere("tool-server", "list")
    moved = anywhere("tool-server", "update", "far", "--url", "http://b.example/mcp")
    emptied = anywhere(
        "tool-server", "update", "far", "--url", "http://b.example/mcp", "--no-secret"
    )
    removed = anywhere("tool-server", "remove", "far", "--yes", "-q")

    assert made.out == "far\n"
    assert (rested["data"]["is_active"], rested["data"]["has_secret"]) == (False, True)
    assert lines(listed.out) == [
        ["far", "resting", "sealed", "http://a.example/mcp"],
        ["here", "active", "–", "python", "-m", "'a", "server'"],
    ]
    assert (moved.code, "VALIDATION_ERROR" in moved.err) == (2, True)
    assert emptied.out == "far  http://b.example/mcp  (resting)\n"
    assert removed.out == "far\n"
    assert anywhere("tool-server", "show", "here", "-q").out == "here\n"
    assert ToolServer.objects.get().command == ["python", "-m", "a server"]


def test_a_webhook_is_created_changed_rotated_and_removed(anywhere):
    factories.session(key="desk")

    made = anywhere("webhook", "create", "https://example.com/hook", "--event", "run.*",
                 "--session", "desk", "--json").document["data"]  # fmt: skip
    name = made["id"]
    changed = anywhere("webhook", "update", name, "--event", "approval.*", "--resting")
    listed = anywhere("webhook", "list")
    rotated = anywhere("webhook", "rotate", name)
    shown = anywhere("webhook", "show", name, "--json").document["data"]
    removed = anywhere("webhook", "remove", name, "--yes", "-q")

    assert made["secret"].startswith("whsec_")
    assert changed.out == f"{name}  https://example.com/hook  (resting)\n"
    assert lines(listed.out) == [
        [name, "resting", "desk", "approval.*", "https://example.com/hook"]
    ]
    assert rotated.out.splitlines()[1].startswith("whsec_")
    assert made["secret"] not in rotated.out
    assert "secret" not in shown
    assert removed.out == f"{name}\n"
    assert not Webhook.objects.exists()


def test_what_was_sent_is_listed_and_sent_again(anywhere):
    factories.team("default")
    name = anywhere("webhook", "create", "https://example.com/hook", "--event", "approval.*", "-q")
    webhook = name.out.strip()
    asking.approval(asking.run(factories.session()))
    for webhook_id, session_id in reading.behind():
        deliveries.note(webhook_id=webhook_id, session_id=session_id)
    Delivery.objects.update(state="failed", attempts=9, status=500, error="HTTP 500")
    row = Delivery.objects.get()

    failed = anywhere("webhook", "deliveries", webhook, "--state", "failed")
    again = anywhere("webhook", "redeliver", webhook, str(row.pk))
    gone = anywhere("webhook", "redeliver", webhook, webhook)

    assert lines(failed.out) == [
        [str(row.pk), "failed", "9", "500", "approval.requested", str(row.seq), "HTTP", "500"]
    ]
    assert again.out == f"{row.pk}  approval.requested  due\n"
    assert anywhere("webhook", "deliveries", webhook, "--state", "failed", "-q").out == ""
    assert (gone.code, "aegis webhook deliveries" in gone.err) == (3, True)


def test_a_webhook_is_tried(anywhere, settings):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"outward_networks": "127.0.0.0/8"}
    )
    factories.team("default")
    with outside() as place:
        made = anywhere("webhook", "create", place.url("/hook"), "--event", "run.*", "-q")

        taken = anywhere("webhook", "test", made.out.strip())
        place.replies["/hook"] = Reply(status=500)
        refused = anywhere("webhook", "test", made.out.strip(), "--json")

    assert (taken.code, taken.out) == (0, "taken: HTTP 200\n")
    assert refused.code == 9
    assert refused.document["data"] == {"is_taken": False, "status": 500, "error": "HTTP 500"}


def test_a_trigger_is_created_listed_and_removed(aegis):
    factories.session(key="desk")
    aegis("agent", "list")

    made = aegis("trigger", "create", "assistant", "--pattern", "prices.*", "--session", "desk",
                 "--condition", '{"all": [{"path": "change", "op": "lt", "value": -5}]}',
                 "--cooldown", "5", "--json").document["data"]  # fmt: skip
    aegis("trigger", "create", "assistant", "--schedule", "0 9 * * *")
    listed = aegis("trigger", "list", "--agent", "assistant")
    shown = aegis("trigger", "show", made["id"])
    planned = aegis("trigger", "remove", made["id"], "--dry-run", "-q")
    removed = aegis("trigger", "remove", made["id"], "--yes", "-q")

    assert (made["pattern"], made["cooldown_seconds"]) == ("prices.*", 5)
    assert [line[1:-1] for line in lines(listed.out)] == [
        ["assistant", "at", "0", "9", "*", "*", "*", "its", "sessions", "on"],
        ["assistant", "prices.*", "desk", "on"],
    ]
    assert shown.out == f"{made['id']}  assistant  prices.*\n"
    assert planned.out == removed.out == f"{made['id']}\n"
    assert Trigger.objects.get().schedule == "0 9 * * *"


NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["provider", "show", "nobody"], 3, "next: aegis provider list"),
        (["provider", "create", "scripted"], 2, "VALIDATION_ERROR"),
        (["provider", "create", "a", "--secret-file", "nowhere"], 2, "No such file"),
        (["provider", "remove", "nobody"], 2, "say --yes"),
        (["tool-server", "show", "nobody"], 3, "next: aegis tool-server list"),
        (["tool-server", "create", "a"], 2, "a url or a command"),
        (["tool-server", "create", "a", "--command", "'"], 2, "--command"),
        (["webhook", "show", NOBODY], 3, "next: aegis webhook list"),
        (["webhook", "create", "file:///etc/passwd", "--event", "run.*"], 2, "VALIDATION_ERROR"),
        (["trigger", "show", NOBODY], 3, "NOT_FOUND"),
        (["trigger", "create", "assistant"], 2, "a pattern or a schedule"),
        (["trigger", "create", "nobody", "--pattern", "a"], 3, "AGENT_NOT_FOUND"),
    ],
)
def test_what_cannot_be_is_told(anywhere, words: list[str], exit_code: int, said: str):
    factories.team("default")
    anywhere("agent", "list")

    ended = anywhere(*words)

    assert (ended.code, said in ended.err) == (exit_code, True), ended.err


def test_a_secret_that_is_no_object_is_not_repeated(anywhere, key: str):
    ended = anywhere(
        "tool-server", "create", "a", "--url", "http://a.example", "--secret-file", key
    )

    assert ended.code == 2
    assert KEY not in ended.err


def test_a_trigger_is_changed_and_tried(anywhere):
    factories.session(key="desk")
    words = ["--pattern", "prices.*", "--session", "desk", "--json"]
    made = anywhere("trigger", "create", "assistant", *words).document["data"]

    off = anywhere("trigger", "update", made["id"], "--off", "--prompt", "{topic}!", "--json")
    tried = anywhere("trigger", "test", made["id"], "--topic", "prices.BTC", "--data", "1")
    timed = anywhere("trigger", "update", made["id"], "--on", "--schedule", "@daily", "--json")
    moments = anywhere("trigger", "test", made["id"]).out

    assert (off.document["data"]["is_active"], off.document["data"]["prompt"]) == (
        False,
        "{topic}!",
    )
    assert tried.out.splitlines() == ["It wakes nobody: It is off.", "told: prices.BTC!"]
    assert (timed.document["data"]["pattern"], timed.document["data"]["schedule"]) == ("", "@daily")
    assert moments.splitlines()[0] == "It wakes assistant."
    assert anywhere("trigger", "update", made["id"]).code == 2
