"""Seed 000, shape by shape: its fields at their places with their types, and no others."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import lifecycle
from streaming import hints
from tests import factories, threads
from tests.calling import Caller, caller
from tests.contracts.seed_000_help import GOLDEN, differences, golden

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def program() -> Caller:
    return caller()


# Arrangements: each makes what the seed shows, and returns the answer to compare with it.


def session_create_ok(program: Caller) -> Any:
    return program.command("SESSION_CREATE", {"name": "demo", "mode": "historical"})


def session_create_error(program: Caller) -> Any:
    return program.command("SESSION_CREATE", {"name": "demo", "mode": "sideways"})


def session_attach_ok(program: Caller) -> Any:
    factories.session(key="k", expected=[Expected(name="comp1")])
    return program.command("SESSION_ATTACH", {"session_id": "k", "components": ["comp3", "comp4"]})


def session_attach_error(program: Caller) -> Any:
    made = factories.session_in(State.RUNNING)
    return program.command("SESSION_ATTACH", {"session_id": str(made.pk), "components": ["c"]})


def session_start_ok(program: Caller) -> Any:
    made = factories.session(expected=[Expected(name="comp1"), Expected(name="comp2")])
    Session.objects.filter(pk=made.pk).update(state=State.STOPPED)
    with threads.beside(
        partial(program.command, "SESSION_START", {"session_id": str(made.pk)})
    ) as answer:
        mine = Session.objects.starting().filter(pk=made.pk)
        assert hints.wait_until(mine.exists, timeout_seconds=20)
        for name in ("comp1", "comp2"):
            factories.readied(made, name)
        return answer()


def session_start_error(program: Caller) -> Any:
    made = factories.session(expected=[Expected(name="comp1"), Expected(name="comp2")])
    factories.readied(made, "comp1")
    lifecycle.start(principal=factories.OPERATOR, session=made)
    Session.objects.update(start_deadline_at=timezone.now())
    return program.command("SESSION_START", {"session_id": str(made.pk)})


def session_stop_ok(program: Caller) -> Any:
    made = factories.session(expected=[Expected(name="comp1", required=False)])
    factories.readied(made, "comp1")
    lifecycle.start(principal=factories.OPERATOR, session=made)
    return program.command("SESSION_STOP", {"session_id": str(made.pk)})


def session_stop_error(program: Caller) -> Any:
    return program.command("SESSION_STOP", {"session_id": "nowhere"})


def session_list_ok(program: Caller) -> Any:
    factories.session_in(State.RUNNING, name="demo")
    return program.command("SESSION_LIST")


def session_list_error(program: Caller) -> Any:
    return caller(["audit:read"]).command("SESSION_LIST")


def session_state_ok(program: Caller) -> Any:
    made = factories.session(name="demo", expected=[Expected(name="comp1", required=False)])
    factories.readied(made, "comp1")
    lifecycle.start(principal=factories.OPERATOR, session=made)
    return program.command("SESSION_STATE", {"session_id": "demo"})


def session_state_error(program: Caller) -> Any:
    return program.command("SESSION_STATE", {"session_id": "nowhere"})


CASES: list[Callable[[Caller], Any]] = [
    session_create_ok,
    session_create_error,
    session_attach_ok,
    session_attach_error,
    session_start_ok,
    session_start_error,
    session_stop_ok,
    session_stop_error,
    session_list_ok,
    session_list_error,
    session_state_ok,
    session_state_error,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_an_answer_has_the_shape_of_the_seed(program: Caller, case: Callable[[Caller], Any]):
    wanted = golden(case.__name__)

    found = case(program)

    assert differences(wanted, found) == []
    assert (found["command"], found["status"]) == (wanted["command"], wanted["status"])


def test_every_shape_of_the_seed_is_compared():
    assert {path.stem for path in GOLDEN.iterdir()} == {case.__name__ for case in CASES}


def test_messages_begin_as_the_seeds_do(program: Caller):
    for case in CASES:
        wanted = golden(case.__name__)
        if "message" in wanted and "<reason>" in wanted["message"]:
            beginning = wanted["message"].removesuffix("<reason>")

            assert case(program)["message"].startswith(beginning)
