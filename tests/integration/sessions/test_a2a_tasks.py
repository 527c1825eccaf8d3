"""What no kit covers: whose tasks exist, that both bindings say the same, and how lists are ordered."""

import os
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sessions.core.runs import RunRejected
from sessions.dialects import a2a_cards
from sessions.models import Agent, Approval
from sessions.selectors import work
from sessions.services import working
from tests.calling import Caller
from tests.integration.sessions import working_help as help_
from tests.integration.sessions.a2a_help import BINDINGS, Client, said
from tests.integration.sessions.test_a2a import caller_named, waiting
from tests.integration.sessions.test_a2a import work as answer

pytestmark = [pytest.mark.dialects, pytest.mark.django_db(transaction=True)]

EXAMPLES = int(os.environ.get("TESTS_EXAMPLES", "4"))
AGENTS = ["scribe", "clerk"]
PEOPLE = st.integers(0, 1)
SEND = st.tuples(st.just("send"), PEOPLE, st.sampled_from(AGENTS), st.sampled_from(["", "x", "y"]))
CANCEL = st.tuples(st.just("cancel"), PEOPLE, st.integers(0, 9))
ACTIONS = st.one_of(SEND, SEND, st.just(("answer",)), st.just(("reject",)), CANCEL)


class Desk:
    """Two programs of one team, each with the tasks that it gave."""

    def __init__(self) -> None:
        names = [f"{name}-{uuid4()}" for name in ("one", "other")]
        self.programs = [caller_named(name) for name in names]
        self.tasks: list[list[tuple[str, str]]] = [[], []]

    def client(self, who: int, agent: str, binding: str = BINDINGS[0]) -> Client:
        return Client(self.programs[who], binding, agent=agent)

    def send(self, who: int, agent: str, context: str) -> None:
        # The team shares the contexts, an agent has its own.
        given = {"contextId": f"{agent}-{context}-{id(self)}"} if context else {}
        task = self.client(who, agent).send("Go.", configuration=AT_ONCE, **given)
        self.tasks[who].append((agent, task["id"]))

    def answer(self) -> None:
        if work.count_due():
            answer("Done.")

    def reject(self) -> None:
        if work.count_due():
            held = help_.claimed()
            working.fail(run_id=held.run_id, fence=held.fence, error=RunRejected())

    def cancel(self, who: int, place: int) -> None:
        if self.tasks[who]:
            agent, task = self.tasks[who][place % len(self.tasks[who])]
            self.client(who, agent).ask("CancelTask", id=task)


AT_ONCE = {"returnImmediately": True}


@settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(actions=st.lists(ACTIONS, min_size=4, max_size=12))
def test_only_the_callers_tasks_exist_and_both_bindings_say_so(actions: list[Any]):
    for slug in AGENTS:
        help_.agent(slug)
    desk = Desk()
    for name, *arguments in actions:
        getattr(desk, name)(*arguments)

    for who in (0, 1):
        for agent in AGENTS:
            one, other = (desk.client(who, agent, binding) for binding in BINDINGS)
            listed = one.get("ListTasks", includeArtifacts=True)
            assert listed == other.get("ListTasks", includeArtifacts=True)
            own = [task for slug, task in desk.tasks[who] if slug == agent]
            assert sorted(task["id"] for task in listed["tasks"]) == sorted(own)
            for task in listed["tasks"]:
                assert one.get("GetTask", id=task["id"]) == task
                assert other.get("GetTask", id=task["id"]) == task
            for _, task in desk.tasks[1 - who]:
                for name in ("GetTask", "CancelTask"):
                    assert one.refused(name, id=task) == "TASK_NOT_FOUND"
                    assert other.refused(name, id=task) == "TASK_NOT_FOUND"


@pytest.fixture(params=BINDINGS)
def client(request: pytest.FixtureRequest, program: Caller) -> Client:
    help_.agent()
    return Client(program, request.param)


def test_a_task_that_waits_is_as_new_as_what_is_asked(client: Client):
    first = client.send("Order it.", contextId="c-1")["id"]
    held = help_.claimed()
    second = client.send("Hello.", contextId="c-2")["id"]
    help_.claimed()
    asked = waiting(first, held)

    found = client.get("ListTasks")["tasks"]

    assert [one["id"] for one in found] == [first, second]
    assert found[0]["status"]["timestamp"] == client.get("GetTask", id=first)["status"]["timestamp"]
    since = {"statusTimestampAfter": found[0]["status"]["timestamp"]}
    assert [one["id"] for one in client.get("ListTasks", **since)["tasks"]] == [first]
    assert Approval.objects.get().pk == asked.pk


@pytest.mark.parametrize(
    ("messages", "answers"),
    [(True, True), (False, False), (None, False), (["x", "m-"], True), (["x", 1], False)],
)
def test_an_agent_may_answer_by_messages(messages: Any, answers: bool):
    agent = help_.agent(settings={"messages": messages})

    assert a2a_cards.answers_by_message(agent, "m-1") is answers


def test_what_is_not_done_is_no_message(client: Client):
    Agent.objects.update(settings={"messages": True})

    found = client.get("SendMessage", message=said("Hello."), configuration=AT_ONCE)

    # Nobody works here.
    assert found["task"]["status"]["state"] == "TASK_STATE_SUBMITTED"
