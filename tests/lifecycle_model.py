"""A session and its components as the specification describes them, in memory."""

from sessions.core.lifecycle import State
from tests import tables

CLOSED = {State.COMPLETED, State.ENDED}


class Part:
    """A component as the model knows it."""

    def __init__(self, *, is_required: bool) -> None:
        self.is_required = is_required
        self.state = "pending"
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
        required = [one for one in self.parts.values() if one.is_required]
        return any(one.state not in {"ready", "running"} for one in required)

    def command(self, verb: str) -> bool:
        """Do what the table says; whether it was legal."""
        target = tables.target(verb, self.state)
        withdraws = self.is_starting and verb != "start"
        if target is None and not withdraws:
            return False
        if verb == "start":
            self.start()
            return True
        if verb == "restart":
            return self.restart(target)
        self.is_starting = False
        if target is not None:
            self.move(target)
        return True

    def restart(self, target: State | None) -> bool:
        if target is None:
            return False
        for one in self.parts.values():
            if one.state == "running":
                one.state = "ready"
        before, self.is_starting = self.state, self.is_missing_somebody
        if not self.is_starting:
            self.state = State.STOPPED
            self.move(State.RUNNING)
        elif before in {State.RUNNING, State.PAUSED}:
            self.activation += 1
            self.version += before is State.RUNNING
            self.state = State.PAUSED
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

    def run_who_is_ready(self) -> None:
        for one in self.parts.values():
            if one.state == "ready":
                one.state = "running"

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
