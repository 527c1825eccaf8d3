"""What a shell asks when somebody presses TAB."""

import json
import shlex
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from sessions.core.lifecycle import State
from sessions.management import aegis_completion, completion_cache
from sessions.models import Session
from tests import asking, factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


@pytest.fixture
def cache(tmp_path: Path, settings) -> Path:
    changed = {"home": tmp_path / "home"}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=changed)
    return completion_cache.file()


@pytest.fixture
def ask(cache: Path) -> Callable[..., list[str]]:
    """What the last of some words may become, as a shell hears it."""
    program = [*shlex.split(aegis_completion.command(cache))]
    # Without site-packages there is no Django that it could load.
    assert "-S" in program

    def ask(*words: str) -> list[str]:
        said = subprocess.run([*program, *words], capture_output=True, text=True, check=False)
        assert (said.returncode, said.stderr) == (0, "")
        return said.stdout.splitlines()

    return ask


def test_a_key_is_found_among_ten_thousand_sessions(aegis, ask, django_assert_num_queries):
    team = factories.team("default")
    now = timezone.now()
    Session.objects.bulk_create(
        Session(key=f"k{n:05}", team=team, last_activity_at=now - timedelta(seconds=n))
        for n in range(10_001)
    )
    with django_assert_num_queries(len(completion_cache.VALUES)):
        aegis("completion", "refresh")

    assert ask("session", "pause", "k0999") == [f"k{n:05}" for n in range(9990, 10_000)]
    # Those that were not touched for longest are known to nobody's shell.
    assert ask("session", "pause", "k1") == []


def test_every_name_is_answered_without_django(aegis, ask, cache: Path):
    for number in range(50):
        factories.session(key=f"k{number}")
    approval = asking.approval(asking.run(factories.session_in(State.RUNNING, key="desk")))
    told = aegis("completion", "refresh")

    assert (told.code, told.out, cache.stat().st_mode & 0o777) == (0, "", 0o600)
    assert ask("session", "pause", "k4") == [f"k{n}" for n in (*range(49, 39, -1), 4)]
    assert ask("session", "list", "--kind", "s") == ["stream", "simulation"]
    assert ask("approval", "approve", "") == [str(approval.pk)]
    assert "--wait" in ask("session", "start", "--")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_calls_it_with_the_words_of_the_line(aegis, cache: Path, shell: str):
    told = aegis("completion", shell)

    assert aegis_completion.command(cache) in told.out
    assert (
        json.loads(cache.read_text())["commands"]["session"]["list"]["options"]["--closed"] is None
    )


def test_bash_takes_what_is_found(aegis, cache: Path, tmp_path: Path):
    factories.session(key="a-b")
    script = tmp_path / "script"
    script.write_text(aegis("completion", "bash").out)
    line = (
        "COMP_WORDS=(aegis session show a); COMP_CWORD=3; _aegis; printf '%s' \"${COMPREPLY[0]}\""
    )

    said = subprocess.run(
        ["bash", "-c", f"source {shlex.quote(str(script))}; {line}"],  # noqa: S607 -- as people have it
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.stdout, said.stderr) == ("a-b", "")
