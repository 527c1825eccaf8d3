"""The laws of the mapping: one session, driven through all dialects at once, beside a model."""

import os
from collections import Counter

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sessions.core.lifecycle import State
from tests.calling import Caller, caller
from tests.laws import summary, words
from tests.laws.words import Verb
from tests.laws.world import DELETERS, DOORS, World

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

STEPS = int(os.environ.get("TESTS_LAWS_STEPS", "150"))
# So many commands at most to one session, and about half of it as Hypothesis likes it.
WALK = 30
# A closed session has little to tell: it is closed late, and some never are.
MOVES_BEFORE_THE_END = 12
PULLS = [(door.dialect, verb) for door in DOORS for verb in door.verbs]
CLOSING = [(dialect, verb) for dialect, verb in PULLS if verb.means in {"complete", "end"}]
ACTIONS = [
    *[pull for pull in PULLS if pull not in CLOSING],
    *["come"] * 5,
    *["lose", "look_around"] * 2,
]
MAKERS = ["000", "001", "002", "003", "004", "canonical"]


class Machine(RuleBasedStateMachine):
    """The session in the hands of Hypothesis."""

    program: Caller
    kept: Counter[str]
    world: World
    deleter: str
    moves = 0

    @initialize(dialect=st.sampled_from(MAKERS), deleter=st.sampled_from(DELETERS))
    def create(self, dialect: str, deleter: str) -> None:
        self.world, self.deleter = World(self.program, dialect, self.kept), deleter

    @rule(action=st.sampled_from(ACTIONS))
    def act(self, action: str | tuple[str, Verb]) -> None:
        self.moves += 1
        if isinstance(action, str):
            getattr(self.world, action)()
        else:
            self.world.pull(*action)

    @precondition(lambda self: self.moves > MOVES_BEFORE_THE_END)
    @rule(action=st.sampled_from(CLOSING))
    def close(self, action: tuple[str, Verb]) -> None:
        self.world.pull(*action)

    def teardown(self) -> None:
        try:
            if self.moves:
                self.world.look_around()
                self.world.delete(self.deleter)
        finally:
            self.world.close()


@pytest.fixture
def program(settings: LazySettings) -> Caller:
    """A program that may do everything, where a start waits for a moment only."""
    quick = {"start_seconds": 0.02, "creates_per_minute": 0}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=quick)
    return caller()


@pytest.mark.timeout(3600)
def test_every_law_survives_whatever_is_asked_for(program: Caller, request: pytest.FixtureRequest):
    kept: Counter[str] = Counter()
    machine = type("Laws", (Machine,), {"program": program, "kept": kept})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, 2 * STEPS // WALK),
            stateful_step_count=WALK,
            # Without shrinking, which takes minutes with a database in it.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    summary.note(request, kept)


def _verb(dialect: str, name: str) -> Verb:
    return next(verb for door, verb in PULLS if (door, verb.name) == (dialect, name))


def test_a_task_for_a_paused_session_names_it_once_and_moves_nothing(program: Caller) -> None:
    world = World(program, "004", Counter())
    for dialect, name in [
        ("001", "failed"),
        ("003", "activate"),
        ("000", "SESSION_RESUME"),
        ("canonical", "start"),
        ("admin", "pause"),
    ]:
        world.pull(dialect, _verb(dialect, name))
    named = [*world.trace(), "session.updated"]

    world.pull("002", _verb("002", "task"))
    world.pull("002", _verb("002", "task"))
    world.close()

    assert (world.model.state, world.trace()) == (State.PAUSED, named)


def test_the_tables_speak_of_every_state():
    assert {state for _, state in words.WORDS} == set(State)
    assert len(words.WORDS) == 5 * len(State)
