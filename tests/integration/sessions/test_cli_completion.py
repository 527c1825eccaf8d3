"""What a shell asks when somebody presses TAB."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from sessions.core.lifecycle import State
from sessions.management import aegis_completion, completion_cache
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


def test_every_name_is_answered_without_django(aegis, cache: Path):
    for number in range(50):
        factories.session(key=f"k{number}")
    approval = asking.approval(asking.run(factories.session_in(State.RUNNING, key="desk")))
    told = aegis("completion", "refresh")
    # Without site-packages there is no Django that it could load.
    program = [*shlex.split(aegis_completion.command(cache))]

    def ask(*words: str) -> list[str]:
        said = subprocess.run([*program, *words], capture_output=True, text=True, check=False)
        assert (said.returncode, said.stderr) == (0, "")
        return said.stdout.splitlines()

    assert (told.code, told.out, cache.stat().st_mode & 0o777) == (0, "", 0o600)
    assert "-S" in program
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
