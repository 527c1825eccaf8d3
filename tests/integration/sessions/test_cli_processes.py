import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import load_command_class

from tests import serving

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

ROOT = Path(__file__).parents[3]


@dataclass
class Told:
    """How a process ended and what it said."""

    code: int
    out: str
    err: str


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
    ("words", "step", "meant"),
    [
        (["bogus"], "aegis --help", ""),
        (["sesion"], "aegis --help", "'session'"),
        (["session", "pase"], "aegis session --help", "'pause'"),
        (["session", "list", "--stat"], "aegis session list --help", "--state"),
        (["session", "start"], "aegis session start --help", ""),
    ],
)
def test_wrong_usage_has_a_code_and_a_next_step(
    capsys: pytest.CaptureFixture[str], words: list[str], step: str, meant: str
):
    with pytest.raises(SystemExit) as ended:
        load_command_class("sessions", "aegis").run_from_argv(["manage.py", "aegis", *words])

    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert said.err.startswith("error: USAGE: ")
    assert meant in said.err.splitlines()[0]
    assert said.err.splitlines()[-1] == f"  next: {step}"


def test_without_tables_it_says_what_to_do(tmp_path: Path):
    told = alone("session", "list", home=tmp_path)

    assert (told.code, told.out) == (8, "")
    assert told.err.startswith("error: DATABASE_ERROR: ")
    assert "next: aegis run" in told.err
