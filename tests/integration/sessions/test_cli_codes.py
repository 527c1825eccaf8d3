"""Every exit code of the command line, provoked once."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.utils import timezone

from aegis_project import health
from aegis_project.health import Finding
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.management.verbs import Exit
from sessions.models import Session
from sessions.selectors import lists
from sessions.services import lifecycle
from tests import asking, factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

Provoke = Callable[[pytest.MonkeyPatch], None]
SCENES: dict[Exit, tuple[str, Provoke]] = {}


def scene(code: Exit, line: str) -> Callable[[Provoke], Provoke]:
    """What has to be so that a command line ends with a code."""

    def add(function: Provoke) -> Provoke:
        SCENES[code] = line, function
        return function

    return add


@scene(Exit.DONE, "session list")
def well(_patch: pytest.MonkeyPatch) -> None:
    """Nothing is to be done."""


@scene(Exit.UNEXPECTED, "session list")
def broken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lists, "readable", _raise(RuntimeError("Nobody expected this.")))


@scene(Exit.USAGE, "session end k")
def unsure(_patch: pytest.MonkeyPatch) -> None:
    factories.session(key="k")


@scene(Exit.NOT_FOUND, "session show none")
def absent(_patch: pytest.MonkeyPatch) -> None:
    """There is no session."""


@scene(Exit.NOT_ALLOWED, "session start k --as nobody-much")
def forbidden(_patch: pytest.MonkeyPatch) -> None:
    factories.session(key="k")
    User.objects.create_user("nobody-much").groups.add(factories.team("default"))


@scene(Exit.REFUSED, "session pause k")
def refused(_patch: pytest.MonkeyPatch) -> None:
    factories.session_in(State.ENDED, key="k")


@scene(Exit.TIMED_OUT, "session start k --wait completed --timeout 0")
def late(_patch: pytest.MonkeyPatch) -> None:
    factories.session(key="k")


@scene(Exit.PARTIAL, "session start k none")
def partly(_patch: pytest.MonkeyPatch) -> None:
    factories.session(key="k")


@scene(Exit.UNREACHABLE, "session list")
def away(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lists, "readable", _raise(DatabaseError("away")))


@scene(Exit.CHECK_FAILED, "doctor --only clock")
def ill(patch: pytest.MonkeyPatch) -> None:
    found = Finding("clock", health.State.ERROR, "It stands.", "Wind it up.")
    patch.setattr(health, "examine", lambda _names: [found])


@scene(Exit.PERSON_NEEDED, "session start k --wait completed --timeout 20")
def asked(_patch: pytest.MonkeyPatch) -> None:
    asking.approval(asking.run(factories.session_in(State.RUNNING, key="k")))


@scene(Exit.OUT_OF_REACH, "session start k --wait running --timeout 20")
def lost(_patch: pytest.MonkeyPatch) -> None:
    row = factories.session(key="k", expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=row)
    Session.objects.update(start_deadline_at=timezone.now())


@scene(Exit.INTERRUPTED, "session list")
def interrupted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lists, "readable", lambda _one: os.kill(os.getpid(), signal.SIGINT))


def _raise(error: Exception) -> Callable[..., Any]:
    def act(*_given: Any, **_named: Any) -> Any:
        raise error

    return act


@pytest.mark.parametrize("code", Exit, ids=lambda code: code.name.lower())
def test_each_code_is_how_a_command_ends(aegis, monkeypatch, code: Exit):
    line, provoke = SCENES[code]
    provoke(monkeypatch)

    if code is Exit.UNEXPECTED:
        # Python itself ends with 1 then, and its traceback is what somebody has to see.
        with pytest.raises(RuntimeError):
            aegis(*line.split())
        return
    told = aegis(*line.split())

    assert told.code == code
    assert ("error:" in told.err) is (code not in {Exit.DONE, Exit.CHECK_FAILED, Exit.INTERRUPTED})
