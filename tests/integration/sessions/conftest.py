"""Who calls in these tests."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from jsonschema import Draft202012Validator

from components.core.scopes import SCOPES
from sessions.management import client, schemas
from tests.calling import Caller, caller
from tests.integration.sessions import far_help

ESCAPE = "\x1b"


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
    """The command line in this process: what it says as JSON is as it was published, and plain."""

    def run(*words: str) -> Told:
        code = 0
        try:
            call_command("aegis", *words)
        except CommandError as error:
            code = error.returncode
        said = capsys.readouterr()
        # Nobody looks at a terminal here.
        assert "--force-color" in words or ESCAPE not in said.out + said.err
        if "--json" in words and "--fields" not in words:
            check(words, said.out)
        return Told(code, said.out, said.err)

    return run


@pytest.fixture
def far(aegis, monkeypatch: pytest.MonkeyPatch):
    """The command line with a credential of a team for another server."""
    monkeypatch.setattr(client, "build_opener", far_help.opener)
    monkeypatch.setenv("AEGIS_SERVER", far_help.URL)

    def run(*words: str, scopes: tuple[str, ...] = ("sessions:read",)):
        asks = caller(list(scopes))
        monkeypatch.setenv("AEGIS_TOKEN", asks.headers["Authorization"].removeprefix("Bearer "))
        return aegis(*words)

    return run


@pytest.fixture(params=["aegis", "far"])
def anywhere(request: pytest.FixtureRequest):
    """The command line here, and with every right of a team at another server."""
    found = request.getfixturevalue(request.param)
    if request.param == "aegis":
        return found
    # One credential for the whole test: tags and bookmarks are of whoever made them.
    token = caller(sorted(SCOPES)).headers["Authorization"].removeprefix("Bearer ")
    request.getfixturevalue("monkeypatch").setenv("AEGIS_TOKEN", token)
    return request.getfixturevalue("aegis")


def check(words: tuple[str, ...], out: str) -> None:
    """Fail unless what a command printed is valid by the published schema of it."""
    stream = schemas.named(" ".join(words[:2]))
    for line in out.splitlines():
        found = orjson.loads(line)
        name = found.get("schema", f"aegis.{stream}/1")
        validator(name.removeprefix("aegis.").removesuffix("/1")).validate(found)


@cache
def validator(name: str) -> Draft202012Validator:
    """What says whether something is what a schema says."""
    return Draft202012Validator(schemas.schema(name))
