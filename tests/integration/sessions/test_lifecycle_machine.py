"""The lifecycle service against a small model, with components that come and go."""

import os
from random import Random
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from aegis_project.kit.errors import InvalidState
from components.models import Component
from components.services import liveness, registry, standing
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import creation, lifecycle
from streaming.core.errors import SessionOver
from streaming.models import Log
from streaming.services import ledger
from tests import factories
from tests.factories import OPERATOR
from tests.lifecycle_model import Model, Part

pytestmark = pytest.mark.django_db

CLOSED = {State.COMPLETED, State.ENDED}
CONNECTED = {"registered", "ready", "running"}
# Some hundred steps while one works, thousands in the full check.
WALKS = 60 if os.environ.get("AEGIS_CI") else 10
EXAMPLES = int(os.environ.get("TESTS_EXAMPLES", "30" if os.environ.get("AEGIS_CI") else "10"))
# A closed session has little to tell: it is closed late, and some never are.
MOVES_BEFORE_THE_END = 8
ACTIONS = [
    *[("command", verb) for verb in ("start", "start", "start", "pause", "stop", "fail")],
    ("command", "restart"),
    *[("close", verb) for verb in ("complete", "end")],
    *[(verb, name) for verb in ("come", "register", "ready", "lose") for name in ("feed", "sink")],
    ("come", "feed"),
    ("fault", "feed"),
    ("attach", "feed", "required"),
    ("attach", "sink", "required"),
    ("attach", "sink", "optional"),
    ("settle",),
    ("end_the_grace",),
    ("reach_the_deadline",),
]


class Pair:
    """A session and its model; every action does the same to both."""

    def __init__(self, *, is_required: bool) -> None:
        self.session = factories.session(expected=[Expected(name="feed", required=is_required)])
        self.model = Model()
        self.model.parts["feed"] = Part(is_required=is_required)

    def act(self, action: tuple[str, ...]) -> None:
        name, *arguments = action
        getattr(self, name)(*arguments)
        self.rows_are_what_the_model_says()
        self.times_are_there_exactly_when_they_should_be()

    # Commands

    def close(self, verb: str) -> None:
        if self.model.version > MOVES_BEFORE_THE_END:
            self.command(verb)

    def command(self, verb: str) -> None:
        arguments: dict[str, Any] = {"error": {"code": "TEST"}} if verb == "fail" else {}
        try:
            getattr(lifecycle, verb)(principal=OPERATOR, session=self.session, **arguments)
        except InvalidState:
            is_done = False
        else:
            is_done = True

        assert is_done is self.model.command(verb)

    def attach(self, name: str, need: str) -> None:
        expected = Expected(name=name, required=need == "required")
        try:
            creation.attach(principal=OPERATOR, session=self.session, expected=[expected])
        except InvalidState:
            assert self.model.state not in {State.CREATED, State.PAUSED, State.STOPPED}
        else:
            part = self.model.parts.setdefault(name, Part(is_required=expected.required))
            part.is_required = expected.required

    # Components

    def come(self, name: str) -> None:
        self.register(name)
        self.ready(name)

    def register(self, name: str) -> None:
        row = self.rows().get(name)
        try:
            registry.register(
                principal=factories.bearer(self.session),
                registration=factories.registration(
                    name=name, component_id=str(row.pk) if row else None
                ),
                lease_id=None,
            )
        except SessionOver:
            assert self.model.state in CLOSED
            return
        part = self.model.parts.setdefault(name, Part(is_required=False))
        part.is_in_grace &= part.state != "failed"
        part.state = "registered"

    def ready(self, name: str) -> None:
        row, part = self.rows().get(name), self.model.parts.get(name)
        if row is None or part is None:
            return
        try:
            standing.ready(component_id=str(row.pk), fence=row.fence)
        except InvalidState:
            assert part.state not in CONNECTED
            return
        if part.state == "registered":
            part.state, part.is_in_grace = "ready", False

    def lose(self, name: str) -> None:
        row, part = self.rows().get(name), self.model.parts.get(name)
        if row is None or part is None:
            return
        is_lost = standing.lose(component_id=str(row.pk), fence=row.fence, reason="silent")

        assert is_lost is (part.state in CONNECTED)
        if is_lost:
            part.state, part.is_in_grace = "lost", True

    def fault(self, name: str) -> None:
        row, part = self.rows().get(name), self.model.parts.get(name)
        if row is not None and part is not None and part.state in CONNECTED:
            fault = factories.fault("TEST", "")
            standing.report(component_id=str(row.pk), fence=row.fence, fault=fault)
            part.state = "failed"

    def rows(self) -> dict[str, Component]:
        return {row.name: row for row in Component.objects.filter(session=self.session)}

    # Time and sweeps

    def end_the_grace(self) -> None:
        liveness.fail_overdue(grace_seconds=-1)
        for part in self.model.parts.values():
            if part.is_in_grace and part.state in {"lost", "registered"}:
                part.state = "failed"

    def settle(self) -> None:
        lifecycle.settle(session_id=self.session.pk)
        self.model.settle()
        assert not lifecycle.settle(session_id=self.session.pk)

    def reach_the_deadline(self) -> None:
        starting = Session.objects.starting().filter(pk=self.session.pk)
        starting.update(start_deadline_at=timezone.now())
        lifecycle.settle(session_id=self.session.pk)
        self.model.settle(is_late=True)

    # What always holds

    def rows_are_what_the_model_says(self) -> None:
        self.session.refresh_from_db()
        found = (
            self.session.state,
            self.session.is_starting,
            self.session.version,
            self.session.activation,
            {name: (row.state, row.required) for name, row in self.rows().items()},
        )
        assert found == (
            self.model.state,
            self.model.is_starting,
            self.model.version,
            self.model.activation,
            {name: (one.state, one.is_required) for name, one in self.model.parts.items()},
        )

    def times_are_there_exactly_when_they_should_be(self) -> None:
        halted = self.model.state not in {State.CREATED, State.RUNNING, State.PAUSED}
        assert (self.session.stopped_at is not None) is halted
        assert (self.session.started_at is not None) is (self.model.activation > 0)
        assert (self.session.start_deadline_at is not None) is self.model.is_starting

    def the_ledger_is_sound_and_tells_the_state(self) -> None:
        assert ledger.chain_is_sound(Log.objects.ledger_of(self.session.pk).get())
        state = State.CREATED.value
        for type_, data in factories.told(self.session):
            if type_ == "session.activated":
                assert data["from"] == state
                state = State.RUNNING.value
            elif type_ in {"session.suspended", "session.ended"}:
                assert data["from"] == state
                state = data["state"]
        assert state == self.session.state


class Machine(RuleBasedStateMachine):
    """A pair in the hands of Hypothesis, which likes repetitions and corners."""

    pair: Pair | None = None

    @initialize(is_required=st.booleans())
    def create(self, is_required: bool) -> None:
        self.pair = Pair(is_required=is_required)

    @rule(action=st.sampled_from(ACTIONS))
    def act(self, action: tuple[str, ...]) -> None:
        assert self.pair is not None
        self.pair.act(action)

    def teardown(self) -> None:
        if self.pair is not None:
            self.pair.the_ledger_is_sound_and_tells_the_state()


@pytest.mark.parametrize("seed", range(WALKS))
def test_the_lifecycle_does_what_its_model_does_on_a_long_walk(seed: int):
    pair = Pair(is_required=seed % 2 == 0)

    for action in Random(seed).choices(ACTIONS, k=100):  # noqa: S311 -- a walk is no secret
        pair.act(action)

    pair.the_ledger_is_sound_and_tells_the_state()


@pytest.mark.timeout(600)
def test_the_lifecycle_does_what_its_model_does_wherever_hypothesis_looks():
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            # Without shrinking, which takes minutes with a database in it.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
