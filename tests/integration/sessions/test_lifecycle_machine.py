"""The lifecycle service against a small model, with components that come and go."""

import os
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from aegis_project.kit.errors import InvalidState
from components.core.messages import Register
from components.models import Component
from components.services import liveness, registry, standing
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import creation, lifecycle
from streaming.core.errors import SessionOver
from streaming.models import Log
from streaming.services import ledger
from tests import factories, tables
from tests.factories import OPERATOR

CLOSED = {State.COMPLETED, State.ENDED}
CONNECTED = {"registered", "ready", "running"}
# A few hundred steps while one works, thousands in the full check.
EXAMPLES = 150 if os.environ.get("AEGIS_CI") else 15
NAMES = ["feed", "sink", "tool"]
names = st.sampled_from(NAMES)


class Part:
    """A component as the model knows it."""

    def __init__(self, *, is_required: bool, state: str = "pending") -> None:
        self.is_required = is_required
        self.state = state
        self.is_in_grace = False

    def stop(self) -> None:
        self.state, self.is_in_grace = "stopped", False


class Model:
    """A session as the specification describes it, in memory."""

    def __init__(self) -> None:
        self.state = State.CREATED
        self.is_starting = False
        self.version = 1
        self.activation = 0
        self.parts: dict[str, Part] = {}

    @property
    def is_missing_somebody(self) -> bool:
        return any(
            one.is_required and one.state not in {"ready", "running"} for one in self.parts.values()
        )

    def command(self, verb: str) -> bool:
        """Do what the table says; whether it was legal."""
        target = tables.target(verb, self.state)
        withdraws = self.is_starting and verb != "start"
        if target is None and not withdraws:
            return False
        if verb == "start":
            self.start()
            return True
        self.is_starting = False
        if target is not None:
            self.move(target)
        return True

    def start(self) -> None:
        if self.state is State.RUNNING or self.is_starting:
            return
        if self.is_missing_somebody:
            self.is_starting = True
        else:
            self.move(State.RUNNING)

    def move(self, target: State) -> None:
        if target is self.state:
            return
        if target is State.RUNNING and self.state is not State.PAUSED:
            self.activation += 1
        self.state, self.is_starting = target, False
        self.version += 1
        if target is State.RUNNING:
            self.run_who_is_ready()
        for one in self.parts.values():
            if target in {State.PAUSED, State.FAILED} and one.state == "running":
                one.state = "ready"
            elif target in {State.STOPPED, *CLOSED}:
                one.stop()

    def settle(self, *, is_late: bool = False) -> None:
        if self.is_starting and not self.is_missing_somebody:
            self.move(State.RUNNING)
        elif self.is_starting and is_late:
            self.is_starting = False
            self.move(State.FAILED)
        elif self.state is State.RUNNING:
            if any(one.is_required and one.state == "failed" for one in self.parts.values()):
                self.move(State.FAILED)
            else:
                self.run_who_is_ready()

    def run_who_is_ready(self) -> None:
        for one in self.parts.values():
            if one.state == "ready":
                one.state = "running"


class Lifecycle(RuleBasedStateMachine):
    """Every rule does the same to the rows and to the model."""

    @initialize()
    def create(self) -> None:
        self.session = factories.session()
        self.model = Model()

    @rule(verb=st.sampled_from(tables.COMMANDS))
    def command(self, verb: str) -> None:
        arguments: dict[str, Any] = {"error": {"code": "TEST"}} if verb == "fail" else {}
        try:
            getattr(lifecycle, verb)(principal=OPERATOR, session=self.session, **arguments)
        except InvalidState:
            is_done = False
        else:
            is_done = True

        assert is_done is self.model.command(verb)

    @rule(name=names, is_required=st.booleans())
    def attach(self, name: str, is_required: bool) -> None:
        try:
            creation.attach(
                principal=OPERATOR,
                session=self.session,
                expected=[Expected(name=name, required=is_required)],
            )
        except InvalidState:
            assert self.model.state not in {State.CREATED, State.PAUSED, State.STOPPED}
        else:
            part = self.model.parts.setdefault(name, Part(is_required=is_required))
            part.is_required = is_required

    @rule(name=names)
    def register(self, name: str) -> None:
        row = self.rows().get(name)
        registration = Register(
            session_token="", name=name, component_id=str(row.pk) if row else None
        )
        try:
            registry.register(
                principal=factories.bearer(self.session), registration=registration, lease_id=None
            )
        except SessionOver:
            assert self.model.state in CLOSED
            return
        part = self.model.parts.setdefault(name, Part(is_required=False))
        part.is_in_grace &= part.state != "failed"
        part.state = "registered"

    @rule(name=names)
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

    @rule(name=names)
    def lose(self, name: str) -> None:
        row, part = self.rows().get(name), self.model.parts.get(name)
        if row is None or part is None:
            return
        is_lost = standing.lose(component_id=str(row.pk), fence=row.fence, reason="silent")

        assert is_lost is (part.state in CONNECTED)
        if is_lost:
            part.state, part.is_in_grace = "lost", True

    @rule(name=names)
    def fault(self, name: str) -> None:
        row, part = self.rows().get(name), self.model.parts.get(name)
        if row is not None and part is not None and part.state in CONNECTED:
            fault = factories.fault("TEST", "")
            standing.report(component_id=str(row.pk), fence=row.fence, fault=fault)
            part.state = "failed"

    @rule()
    def end_the_grace(self) -> None:
        liveness.fail_overdue(grace_seconds=-1)
        for part in self.model.parts.values():
            if part.is_in_grace and part.state in {"lost", "registered"}:
                part.state = "failed"

    @rule()
    def settle(self) -> None:
        lifecycle.settle(session_id=self.session.pk)
        self.model.settle()
        assert not lifecycle.settle(session_id=self.session.pk)

    @rule()
    def reach_the_deadline(self) -> None:
        starting = Session.objects.starting().filter(pk=self.session.pk)
        starting.update(start_deadline_at=timezone.now())
        lifecycle.settle(session_id=self.session.pk)
        self.model.settle(is_late=True)

    def rows(self) -> dict[str, Component]:
        return {row.name: row for row in Component.objects.filter(session=self.session)}

    @invariant()
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

    @invariant()
    def times_are_there_exactly_when_they_should_be(self) -> None:
        halted = self.model.state not in {State.CREATED, State.RUNNING, State.PAUSED}
        assert (self.session.stopped_at is not None) is halted
        assert (self.session.started_at is not None) is (self.model.activation > 0)
        assert (self.session.start_deadline_at is not None) is self.model.is_starting

    @invariant()
    def the_state_is_the_last_that_the_ledger_told(self) -> None:
        state = State.CREATED.value
        for type_, data in factories.told(self.session):
            if type_ == "session.activated":
                assert data["from"] == state
                state = "running"
            elif type_ in {"session.suspended", "session.ended"}:
                assert data["from"] == state
                state = data["state"]
        assert state == self.session.state

    def teardown(self) -> None:
        if hasattr(self, "session"):
            assert ledger.chain_is_sound(Log.objects.ledger_of(self.session.pk).get())


@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_the_lifecycle_does_what_its_model_does():
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
