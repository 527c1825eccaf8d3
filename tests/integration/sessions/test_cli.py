import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command, load_command_class
from django.utils import timezone

from components.models import Credential
from components.services.registry import Expected
from sessions.core.lifecycle import Environment, State
from sessions.models import Session
from sessions.services import lifecycle
from streaming.models import AuditEntry
from tests import factories, serving, threads

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

ROOT = Path(__file__).parents[3]
ESCAPE = "\x1b"


@dataclass
class Told:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def aegis(capsys: pytest.CaptureFixture[str]):
    """The command line in this process."""

    def run(*words: str) -> Told:
        code = 0
        try:
            call_command("aegis", *words)
        except CommandError as error:
            code = error.returncode
        said = capsys.readouterr()
        return Told(code, said.out, said.err)

    return run


def alone(*words: str, home: Path) -> Told:
    """The command line as a process of its own, without a terminal."""
    answer = subprocess.run(
        [sys.executable, "manage.py", "aegis", *words],
        cwd=ROOT,
        env={**os.environ, "AEGIS_HOME": str(home), "AEGIS_DATABASE_URL": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Told(answer.returncode, answer.stdout, answer.stderr)


# Sessions


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
    assert lines[0].split() == ["KEY", "STATE", "NAME", "KIND", "MODE", "ENV", "PARTS", "LAST"]
    assert lines[1].split()[:2] == ["new", "○"]
    assert lines[2].split()[:4] == ["run", "▶", "running", "Run"]
    assert len(lines) == 3


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


# Several at once


def test_several_are_moved_and_counted(aegis):
    for key in ("a", "b"):
        factories.session(key=key)

    told = aegis("session", "start", "a", "b", "none")

    assert told.code == 7
    assert [line.split()[2] for line in told.out.splitlines()] == ["a", "b"]
    assert told.err.splitlines()[0] == "error: SESSION_NOT_FOUND: none: There is no such session."
    assert told.err.splitlines()[-1] == "2 ok, 1 refused"


def test_several_are_one_document(aegis):
    factories.session(key="a")

    said = aegis("session", "start", "a", "none", "--json").document

    assert [(one["key"], one["previous_state"]) for one in said["data"]] == [("a", "created")]
    assert said["meta"]["refused"]["none"]["code"] == "SESSION_NOT_FOUND"


def test_when_none_is_moved_the_first_error_counts(aegis):
    factories.session_in(State.ENDED, key="a")

    assert aegis("session", "start", "a", "none").code == 5


def test_a_dry_run_changes_nothing(aegis):
    factories.session_in(State.RUNNING, key="a")
    factories.session_in(State.ENDED, key="b")

    told = aegis("session", "end", "a", "b", "--dry-run")
    said = aegis("session", "pause", "a", "b", "--dry-run", "--json").document
    gone = aegis("session", "delete", "a", "b", "--dry-run", "--json").document

    assert [line.split()[-2:] for line in told.out.splitlines()[1:]] == [
        ["s", "end"],
        ["do", "nothing"],
    ]
    assert [one["would"] for one in said["data"]] == ["pause", "be refused"]
    assert [one["would"] for one in gone["data"]] == ["end and hide", "hide"]
    assert set(Session.objects.values_list("state", flat=True)) == {"running", "ended"}


# What cannot be taken back


@pytest.mark.parametrize("verb", ["end", "delete"])
def test_without_a_terminal_somebody_must_be_sure(aegis, verb: str):
    made = factories.session(key="k")

    unsure = aegis("session", verb, "k")
    made.refresh_from_db()
    state = made.state
    sure = aegis("session", verb, "k", "--yes")

    made.refresh_from_db()
    assert (unsure.code, unsure.out, state) == (2, "", "created")
    assert "--yes" in unsure.err
    assert (sure.code, made.state) == (0, "ended")


# Exit codes


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["session", "state", "none"], 3, "SESSION_NOT_FOUND"),
        (["session", "state", "twice"], 2, "AMBIGUOUS_REFERENCE"),
        (["session", "pause", "k"], 5, "INVALID_STATE"),
        (["session", "create", "--key", "k"], 5, "SESSION_ALREADY_EXISTS"),
        (["session", "list", "--as", "viewer"], 0, ""),
        (["session", "start", "k", "--as", "viewer"], 4, "PERMISSION_DENIED"),
        (["session", "list", "--as", "nobody"], 2, "USAGE"),
        (["session", "start", "k", "--wait", "paused", "--timeout", "0"], 6, "TIMEOUT"),
        (["session", "start", "late", "--wait", "running", "--timeout", "5"], 11, "OUT_OF_REACH"),
        (["session", "list", "--state", "bad"], 2, "USAGE"),
        (["component", "show", "k", "none"], 3, "COMPONENT_NOT_FOUND"),
        (["credential", "revoke", "none", "--yes"], 3, "CREDENTIAL_NOT_FOUND"),
        (["topic", "list"], 8, "SERVICE_UNAVAILABLE"),
    ],
)
def test_each_end_has_its_code(aegis, words: list[str], code: int, error: str):
    factories.session(key="k")
    factories.session(name="twice")
    factories.session(name="twice")
    late = factories.session(key="late", expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=late)
    Session.objects.filter(pk=late.pk).update(start_deadline_at=timezone.now())
    viewer = User.objects.create_user("viewer")
    viewer.groups.add(factories.team("default"))
    viewer.user_permissions.add(
        Permission.objects.get(content_type__app_label="aegis_sessions", codename="view_session")
    )

    told = aegis(*words)

    assert told.code == code
    if error:
        assert told.out == ""
        assert told.err.startswith(f"error: {error}: ")
        assert told.err.splitlines()[1].startswith("  next: ")


def test_an_error_is_a_document_too(aegis):
    said = aegis("session", "state", "none", "--json")

    assert said.document == {
        "schema": "aegis.error/1",
        "error": {
            "code": "SESSION_NOT_FOUND",
            "message": "There is no such session.",
            "details": {"session": "none"},
        },
        "meta": {},
    }
    assert said.err.startswith("error: SESSION_NOT_FOUND: ")


@pytest.mark.django_db(transaction=True)
def test_a_command_waits_until_the_session_runs(aegis):
    made = factories.session(key="k", expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=made)

    with threads.beside(lambda: factories.readied(made, "feed")):
        told = aegis("session", "start", "k", "--wait", "running", "--timeout", "20")

    assert (told.code, told.err) == (0, "")
    assert told.out.split()[:2] == ["▶", "running"]


# Who acts


def test_the_audit_names_the_person_of_the_system(aegis):
    person = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True)  # noqa: S607
    User.objects.create_superuser("ann", "", "x")

    aegis("session", "create", "one")
    aegis("session", "create", "two", "--as", "ann", "--team", "default")

    name = person.stdout.strip()
    found = AuditEntry.objects.order_by("pk").values_list("actor", "principal_id", "transport")
    user = User.objects.get()
    assert list(found) == [
        (f"system:cli ({name})", "system:cli", "cli"),
        (f"user:ann (cli, {name})", f"user:{user.pk}", "cli"),
    ]


# Components, credentials, events


def test_components_are_listed(aegis):
    made = factories.session(key="k", expected=[Expected(name="prices")])
    factories.session(key="other", expected=[Expected(name="sink")])
    one = factories.readied(made, "prices")

    everything = aegis("component", "list", "--json").document
    of_one = aegis("component", "list", "--session", "k")
    lost = aegis("component", "list", "--lost", "-q")
    shown = aegis("component", "show", "k", "--json").document

    assert [found["name"] for found in everything["data"]] == ["sink", "prices"]
    assert of_one.out.splitlines()[1].split()[:3] == ["prices", "◎", "ready"]
    assert lost.out == ""
    assert shown["data"]["id"] == str(one.pk)


def test_a_credential_is_issued_listed_and_revoked(aegis):
    issued = aegis("credential", "issue", "dash", "--scope", "sessions:read", "--days", "1")
    row = Credential.objects.get(name="dash")

    listed = aegis("credential", "list", "--usable")
    revoked = aegis("credential", "revoke", row.prefix, "--yes", "--json").document
    after = aegis("credential", "list", "--usable", "-q")

    row.refresh_from_db()
    assert issued.out.startswith(f"aeg_{row.prefix}_")
    assert row.expires_at is not None
    assert row.expires_at - timezone.now() < timedelta(days=1)
    assert listed.out.splitlines()[1].split()[:3] == [row.prefix, "usable", "dash"]
    assert revoked["data"][0]["revoked_at"] is not None
    assert after.out == ""


def test_events_are_printed(aegis):
    factories.session_in(State.ENDED, key="k")

    told = aegis("event", "tail", "k")
    lines = aegis("event", "tail", "k", "--no-follow", "--after", "1", "--json").out.splitlines()

    assert [line.split()[2] for line in told.out.splitlines()] == [
        "session.created",
        "session.ended",
    ]
    assert [json.loads(line)["seq"] for line in lines] == [2]


def test_what_comes_from_outside_moves_no_cursor(aegis):
    factories.session(key="k", name="[bold]x[/bold]\x1b[2J")

    told = aegis("session", "list")

    assert ESCAPE not in told.out
    assert "[bold]x[/bold]�[2J" in told.out


# Processes of their own


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "home"
    shutil.copytree(serving.prepared(), folder)
    return folder


def test_by_itself_it_says_where_to_begin(home: Path):
    told = alone(home=home)

    lines = told.out.splitlines()
    assert (told.code, told.err) == (0, "")
    assert [line.split()[0] for line in lines[2:7]] == ["aegis"] * 5
    assert lines[8] == "Here: 0 sessions, 0 running; no server runs."


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["bogus"], "aegis --help"),
        (["session", "bogus"], "aegis session --help"),
        (["session", "list", "--bogus"], "aegis session list --help"),
        (["session", "start"], "aegis session start --help"),
    ],
)
def test_wrong_usage_has_a_code_and_a_next_step(
    capsys: pytest.CaptureFixture[str], words: list[str], step: str
):
    with pytest.raises(SystemExit) as ended:
        load_command_class("sessions", "aegis").run_from_argv(["manage.py", "aegis", *words])

    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert said.err.startswith("error: USAGE: ")
    assert said.err.splitlines()[-1] == f"  next: {step}"


def test_without_tables_it_says_what_to_do(tmp_path: Path):
    told = alone("session", "list", home=tmp_path)

    assert (told.code, told.out) == (8, "")
    assert told.err.startswith("error: DATABASE_ERROR: ")
    assert "next: aegis run" in told.err


def test_a_terminal_gets_colour_and_a_pipe_does_not(home: Path):
    alone("session", "create", "demo", home=home)

    piped = alone("session", "list", home=home)
    shown = on_terminal("session", "list", home=home)

    assert ESCAPE not in piped.out
    assert ESCAPE in shown
    # A whole id in a pipe, and a beginning of it that every command takes on a terminal.
    [key] = re.findall(r"^[0-9a-f-]{36}", piped.out, re.MULTILINE)
    assert key not in shown
    assert key[:8] in shown


def test_an_interrupt_only_stops_looking(home: Path):
    made = alone("session", "create", "--start", "--quiet", home=home).out.strip()

    with subprocess.Popen(
        [sys.executable, "manage.py", "aegis", "event", "tail", made],
        cwd=ROOT,
        env={**os.environ, "AEGIS_HOME": str(home), "AEGIS_DATABASE_URL": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)

    assert "session.created" in first
    assert (process.returncode, said) == (130, "Stopped looking; what was begun goes on.\n")
    assert alone("session", "state", made, "-q", home=home).out == "running\n"


def on_terminal(*words: str, home: Path) -> str:
    """What a terminal is sent."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "AEGIS_HOME": str(home),
        "AEGIS_DATABASE_URL": "",
        "TERM": "xterm-256color",
        "COLUMNS": "200",
    }
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        [sys.executable, "manage.py", "aegis", *words],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
    ) as process:
        os.close(theirs)
        said = b""
        while piece := _read(ours):
            said += piece
        process.wait()
    os.close(ours)
    return said.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:
        # How Linux tells that the other side is closed.
        return b""
