"""Who calls in these tests."""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from tests.calling import Caller, caller


@pytest.fixture
def program() -> Caller:
    """A program of team default that may do everything."""
    return caller()


@dataclass
class Told:
    """How a command line ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return orjson.loads(self.out)


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
