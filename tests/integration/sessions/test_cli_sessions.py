from pathlib import Path

import pytest
from django.contrib.auth.models import User

from components.services.registry import Expected
from sessions.core.lifecycle import Environment, State
from sessions.models import Session
from tests import asking, factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


def test_a_session_is_made(aegis):
    told = aegis(
        *("session", "create", "demo", "--key", "k", "--env", "test", "--attach", "prices:feed"),
        *("--context", '{"a": 1}', "--metadata", "{}"),
    )

    made = Session.objects.get()
    assert (told.code, told.out, told.err) == (0, "○ created  k\n", "")
    assert (made.name, made.key, made.environment) == ("demo", "k", Environment.TEST)
    assert (made.context, made.components.get().role) == ({"a": 1}, "feed")


def test_a_made_session_is_a_document(aegis):
    told = aegis("session", "create", "demo", "--token", "--start", "--json")

    said = told.document
    assert said["schema"] == "aegis.session.create/1"
    assert (said["data"]["name"], said["data"]["state"]) == ("demo", "running")
    assert said["data"]["session_token"].startswith("aeg_")


def test_a_made_session_is_an_id(aegis):
    told = aegis("session", "create", "--quiet")

    assert told.out == f"{Session.objects.get().pk}\n"


def test_values_come_from_files_too(aegis, tmp_path: Path):
    (tmp_path / "context.json").write_text('{"from": "file"}')

    aegis("session", "create", "--context", f"@{tmp_path}/context.json")

    assert Session.objects.get().context == {"from": "file"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--context", "@/none/there"], "--context: No such file or directory: /none/there"),
        (["--context", "[]"], "--context takes a JSON object."),
        (["--context", "{"], "The JSON is malformed."),
        (["--attach", "a:boss"], "boss is no role; there are "),
        (["--key", "start"], "start is a reserved word."),
    ],
)
def test_what_cannot_be_made_is_told(aegis, words: list[str], message: str):
    told = aegis("session", "create", *words)

    assert (told.code, told.out, Session.objects.count()) == (2, "", 0)
    assert message in told.err


def test_sessions_are_listed(aegis):
    factories.session_in(State.ENDED, key="closed")
    factories.session_in(State.RUNNING, key="run", name="Run", expected=[])
    factories.session(key="new", expected=[Expected(name="a")])

    told = aegis("session", "list")

    lines = told.out.splitlines()
    assert lines[0].split() == [
        *("KEY", "STATE", "NAME", "KIND", "MODE", "ENV", "PARTS", "LAST", "WAITS", "TAGS"),
    ]
    assert lines[1].split()[:2] == ["new", "○"]
    assert lines[2].split()[:4] == ["run", "▶", "running", "Run"]
    assert len(lines) == 3
    assert told.err == "2 sessions.\n"


def test_a_list_says_what_waits_and_where_to_see_it(aegis):
    asked, _ = factories.session(key="asked"), factories.session(key="calm")
    for _ in range(2):
        asking.approval(asking.run(asked))

    told = aegis("session", "list")

    heading, *lines = told.out.splitlines()
    place = heading.index("WAITS")
    assert [(line.split()[0], line[place:].split()) for line in lines] == [
        ("calm", ["-"]),
        ("asked", ["2"]),
    ]
    assert told.err == "2 sessions. 2 approvals wait:  aegis approval list\n"


def test_what_waits_is_told_of_a_table_alone(aegis):
    row = factories.session(key="k")
    asking.approval(asking.run(row))

    said = [aegis("session", "list", *how) for how in (["--json"], ["-q"], ["--fields", "key"])]

    assert [one.err for one in said] == ["", "", ""]
    assert "WAITS" not in said[2].out


def test_a_list_is_a_document(aegis):
    made = factories.session(key="k")

    said = aegis("session", "list", "--json").document

    assert said["schema"] == "aegis.session.list/1"
    assert said["meta"] == {"count": 1, "has_more": False}
    assert said["data"][0]["id"] == str(made.pk)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], ["new", "run"]),
        (["--closed"], ["new", "run", "done"]),
        (["--state", "completed"], ["done"]),
        (["--state", "running,CREATED"], ["new", "run"]),
        (["--kind", "audit"], []),
        (["--search", "RU"], ["run"]),
        (["--limit", "1"], ["new"]),
    ],
)
def test_a_list_can_be_narrowed(aegis, words: list[str], found: list[str]):
    factories.session_in(State.COMPLETED, key="done")
    factories.session_in(State.RUNNING, key="run")
    factories.session(key="new")

    said = aegis("session", "list", "--json", *words).document

    assert [one["key"] for one in said["data"]] == found


def test_a_session_and_its_components_are_shown(aegis):
    made = factories.session(key="k", expected=[Expected(name="prices")])

    told = aegis("session", "state", "k")
    said = aegis("session", "state", "k", "--json").document
    word = aegis("session", "state", "k", "--quiet")

    assert "○ created" in told.out
    assert "prices" in told.out
    assert said["data"]["id"] == str(made.pk)
    assert [one["name"] for one in said["data"]["components"]] == ["prices"]
    assert word.out == "created\n"


@pytest.mark.parametrize("reference", ["{id}", "{beginning}", "the-key", "Its name"])
def test_a_session_is_called_in_four_ways(aegis, reference: str):
    made = factories.session(key="the-key", name="Its name")
    reference = reference.format(id=made.pk, beginning=str(made.pk)[:8])

    assert aegis("session", "state", reference, "-q").out == "created\n"


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("start", State.CREATED, "running"),
        ("resume", State.PAUSED, "running"),
        ("pause", State.RUNNING, "paused"),
        ("stop", State.RUNNING, "stopped"),
        ("complete", State.RUNNING, "completed"),
    ],
)
def test_the_lever_is_at_the_command_line(aegis, verb: str, before: State, after: str):
    made = factories.session_in(before, key="k")

    told = aegis("session", verb, "k")

    made.refresh_from_db()
    assert (told.code, told.err, made.state) == (0, "", after)
    assert told.out.split()[1:] == [after, "k", "was", before.value]


def test_what_is_said_with_a_verb_is_kept(aegis):
    done, broken = factories.session(key="done"), factories.session(key="broken")

    aegis("session", "complete", "done", "--result", "[1]", "--reason", "r")
    aegis("session", "fail", "broken", "--error", "it lies")

    done.refresh_from_db()
    broken.refresh_from_db()
    assert (done.result, done.reason) == ([1], "r")
    assert broken.error == {"code": "SESSION_FAILED", "message": "it lies", "details": {}}


def test_a_token_comes_with_attaching(aegis):
    made = factories.session(key="k")

    told = aegis("session", "attach", "k", "prices:feed", "watcher", "--topic", "klines.**")

    assert told.out.startswith("aeg_")
    assert list(made.components.values_list("name", "role", "topics")) == [
        ("prices", "feed", ["klines.**"]),
        ("watcher", "observer", ["klines.**"]),
    ]


def test_sessions_that_wait_or_are_ones_own_are_listed_in_an_order(aegis):
    busy = factories.session_in(State.RUNNING, key="busy")
    factories.session(key="calm")
    asking.approval(asking.run(busy))
    ann = User.objects.create_superuser("ann", "", "x")
    ann.groups.add(factories.team("default"))
    aegis("session", "create", "--key", "anns", "--as", "ann", "--team", "default")
    aegis("session", "create", "--key", "clis")

    def keys(*words: str) -> list[str]:
        found = aegis("session", "list", *words, "--json").document["data"]
        return [one["key"] for one in found]

    assert keys("--waiting") == ["busy"]
    assert keys("--mine") == ["clis"]
    assert keys("--mine", "--as", "ann") == ["anns"]
    assert keys("--sort", "created") == ["busy", "calm", "anns", "clis"]
    assert keys("--sort", "-created") == keys() == ["clis", "anns", "calm", "busy"]
    assert sorted(keys("--sort=-activity")) == sorted(keys("--sort", "activity"))
