"""Coming back to a checkpoint, over histories that nobody chose."""

import os
from random import Random
from typing import Any

import orjson
import pytest

from aegis_project.kit.errors import InvalidState
from components.core.lifecycle import Role
from components.models import Component, Credential
from components.services import standing
from components.services.registry import Expected
from sessions.core.lifecycle import Mode, State
from sessions.models import Approval, Checkpoint, Replay, Session, ToolCall
from sessions.selectors import checkpoints as reading
from sessions.selectors.checkpoints import Held
from sessions.services import checkpoints, creation, lifecycle, memory, recovery
from streaming.models import Event, Log
from streaming.services import ledger
from tests import archive, asking, factories
from tests.archive import DAY_MS, trade
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

HISTORIES = int(os.environ.get("TESTS_HISTORIES", "6"))
STEPS = 25


def taken(session: Session, label: str = "") -> Checkpoint:
    return checkpoints.create(principal=OPERATOR, session=session, label=label)


def recovered(session: Session, reference: str = "latest") -> Session:
    return recovery.recover(principal=OPERATOR, session=session, checkpoint=reference).session


def remember(session: Session, key: str, value: Any) -> None:
    memory.remember(principal=OPERATOR, session=session, key=key, value=value)


def attach(session: Session, name: str, **said: Any) -> None:
    creation.attach(principal=OPERATOR, session=session, expected=[Expected(name=name, **said)])


def now(session: Session) -> Held:
    return reading.held(taken(session))


def written(session: Session) -> list[tuple[int, str, str]]:
    """The ledger as it stands, in its order: a database gives rows in any."""
    rows = Event.objects.filter(log__session=session).order_by("seq")
    return list(rows.values_list("seq", "ck", "body"))


VALUES: list[Any] = [0, -1.5, "ü", "", None, True, [], {"a": [{"b": None}]}, 2**53 + 1, "\u2028"]


class History:
    """What may happen to a session between two checkpoints."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session = session
        self.chance = Random(seed)  # noqa: S311 -- of what happens

    def go_on(self, steps: int) -> None:
        for _ in range(steps):
            step = self.chance.choice(
                [self.remember, self.attach, self.write, self.come, self.pull]
            )
            try:
                step()
            except InvalidState:
                continue

    def remember(self) -> None:
        remember(self.session, f"key-{self.chance.randrange(4)}", self.chance.choice(VALUES))

    def attach(self) -> None:
        attach(
            self.session,
            f"part-{self.chance.randrange(4)}",
            role=self.chance.choice(list(Role)),
            required=False,
            topics=self.chance.choice([(), ("a.*",), ("b",)]),
        )

    def write(self) -> None:
        """A topic goes on, as its tape does."""
        name = f"topic.{self.chance.randrange(3)}"
        row = Log.objects.get_or_create(
            session=self.session, name=name, defaults={"epoch": "e" * 16, "ck": "0" * 16}
        )[0]
        row.head += self.chance.randrange(9)
        row.save()

    def come(self) -> None:
        part = factories.registered(self.session, f"guest-{self.chance.randrange(3)}")
        standing.lose(component_id=str(part.pk), fence=part.fence, reason="gone")

    def pull(self) -> None:
        verb = self.chance.choice([lifecycle.start, lifecycle.pause, lifecycle.stop])
        verb(principal=OPERATOR, session=self.session)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_recovering_gives_back_memory_and_participants_and_takes_no_event(seed: int):
    session = factories.session_in(State.RUNNING)
    history = History(session, seed)
    history.go_on(STEPS)
    kept = reading.held(taken(session, "kept"))
    history.go_on(STEPS)
    before = written(session)
    lifecycle.fail(principal=OPERATOR, session=session, error={"code": "LOST"})

    found = recovered(session, "kept")

    after = now(session)
    assert (after.memory, after.participants) == (kept.memory, kept.participants)
    assert found.state == State.PAUSED
    assert found.component_count == len(kept.participants)
    # What is written stays written, and goes on from where a checkpoint says that it was.
    rows = written(session)
    assert rows[: len(before)] == before
    assert ledger.chain_is_sound(Log.objects.ledger_of(session.pk).get())
    assert after.positions.keys() >= kept.positions.keys()
    assert all(after.positions[name]["seq"] >= at["seq"] for name, at in kept.positions.items())


def test_recovering_tells_what_it_changed_and_ends_what_was_open():
    session = factories.session_in(State.RUNNING, memory={"n": 1})
    creation.attach(
        principal=OPERATOR,
        session=lifecycle.pause(principal=OPERATOR, session=session).session,
        expected=[Expected(name="feed", required=False)],
    )
    kept = taken(session, "kept")
    remember(session, "n", 2)
    attach(session, "feed", required=True, role=Role.FEED)
    attach(session, "sink", required=False)
    lifecycle.start(principal=OPERATOR, session=session)
    approval = asking.approval(asking.run(session))
    lifecycle.pause(principal=OPERATOR, session=session)

    recovered(session, "kept")

    approval.refresh_from_db()
    assert (approval.state, approval.tool_call.run.state) == ("cancelled", "cancelled")
    event, told = factories.told(session)[-1]
    assert (event, told) == (
        "session.recovered",
        {
            "checkpoint": str(kept.pk),
            "label": "kept",
            "at": kept.seq,
            "memory": ["n"],
            "restored": ["feed"],
            "removed": ["sink"],
            "released": [],
        },
    )


def test_what_was_carried_out_or_decided_stays_so():
    session = factories.session_in(State.RUNNING)
    taken(session, "kept")
    run = asking.run(session)
    done, unknown = asking.asked(run), asking.asked(run)
    ToolCall.objects.filter(pk=done.pk).update(state="completed")
    ToolCall.objects.filter(pk=unknown.pk).update(state="unknown")
    approval = asking.approval(run)
    Approval.objects.filter(pk=approval.pk).update(state="approved")
    issued = creation.issue_token(principal=OPERATOR, session=session)
    lifecycle.stop(principal=OPERATOR, session=session)

    recovered(session, "kept")

    assert ToolCall.objects.get(pk=done.pk).state == "completed"
    assert ToolCall.objects.get(pk=unknown.pk).state == "cancelled"
    assert Approval.objects.get(pk=approval.pk).state == "approved"
    assert Credential.objects.get(pk=issued.credential.pk).revoked_at is None


def test_who_is_connected_and_came_since_is_released():
    session = factories.session_in(State.RUNNING)
    guest = factories.readied(session, "first")
    taken(session, "kept")
    late = factories.readied(session, "late")
    lifecycle.pause(principal=OPERATOR, session=session)

    recovered(session, "kept")

    assert factories.states(session) == {"first": "ready", "late": "stopped"}
    assert factories.told(session)[-1][1]["released"] == ["late"]
    assert Component.objects.get(pk=guest.pk).fence == guest.fence
    assert Component.objects.get(pk=late.pk).required is False


@pytest.mark.parametrize("verbs", [[], ["start"], ["start", "complete"], ["end"]])
def test_elsewhere_it_is_refused(verbs: list[str]):
    session = factories.session()
    taken(session)
    for verb in verbs:
        getattr(lifecycle, verb)(principal=OPERATOR, session=session)

    with pytest.raises(InvalidState):
        recovered(session)


def test_a_pending_start_is_withdrawn():
    session = factories.session_in(State.STOPPED)
    attach(session, "feed")
    taken(session)
    lifecycle.start(principal=OPERATOR, session=session)

    found = recovered(session)

    assert (found.state, found.is_starting) == ("paused", False)


def test_a_failure_is_over_and_the_session_can_go_on():
    session = factories.session_in(State.RUNNING)
    taken(session)
    lifecycle.fail(principal=OPERATOR, session=session, error={"code": "X"})

    found = recovered(session)
    lifecycle.start(principal=OPERATOR, session=session)

    assert (found.error, found.stopped_at) == (None, None)
    session.refresh_from_db()
    assert (session.state, session.activation) == ("running", 1)


def test_a_clock_is_ordered_back(tmp_path: Any, settings: Any):
    archive.write(tmp_path, "trades.BTCUSDT", [trade(i, DAY_MS + i) for i in range(1, 10)])
    settings.DATASETS = {"data": tmp_path}
    config = {"source": {"dataset": "data"}}
    session = factories.session_in(State.RUNNING, mode=Mode.HISTORICAL, config=config)
    Replay.objects.filter(session=session).update(clock=DAY_MS + 3, n=3)
    row = taken(session)
    Replay.objects.filter(session=session).update(clock=DAY_MS + 7, n=7)
    lifecycle.pause(principal=OPERATOR, session=session)

    recovered(session, str(row.pk))

    replay = Replay.objects.get(session=session)
    assert row.clock == {"n": 3, "clock": DAY_MS + 3, "generation": replay.generation}
    assert (replay.seek_to, replay.seek_by) == (DAY_MS + 3, OPERATOR.actor)


def test_a_snapshot_is_the_same_text_for_the_same_content():
    session = factories.session(memory={"b": 1.0, "a": {"y": 2, "x": [1e16, -0.5]}})

    row = taken(session)

    body = orjson.loads(row.snapshot.body)
    assert (
        row.snapshot.body
        == '{"memory":{"a":{"x":[10000000000000000,-0.5],"y":2},"b":1},"participants":[]}'
    )
    assert body["memory"] == session.memory
