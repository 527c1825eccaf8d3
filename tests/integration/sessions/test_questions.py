"""Runs that ask a person: they wait for input, and what the person says next is the result."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from aegis_project.database import run_db
from sessions.agent import llm
from sessions.core.conversation import Admission, Role
from sessions.core.run_log import Status, ToolResult
from sessions.core.tools import QUESTION
from sessions.core.turns import ToolRequest
from sessions.models import Message, Policy, Run, Session, ToolCall
from sessions.runs.reading import Equipment
from sessions.selectors import history, sessions
from sessions.services import conversation, messages, runs, steps, working
from sessions.services.conversation import Utterance
from sessions.services.steps import Step
from sessions.toolbox import box
from sessions.toolbox.builtin.conversation import ask_person
from tests import factories
from tests.calling import Caller
from tests.factories import OPERATOR
from tests.integration.sessions import working_help as help_
from tests.integration.sessions.a2a_help import Client
from tests.integration.sessions.test_execution import begin, ended, until
from tests.integration.sessions.test_execution import working as at_work

pytestmark = pytest.mark.django_db(transaction=True)


def asking(*questions: str) -> Step:
    """An answer of a model that asks a person."""
    asked = [
        ToolRequest(f"c{number}", QUESTION, {"question": one})
        for number, one in enumerate(questions)
    ]
    return Step("One moment. ", "m", 3, 3, Decimal(0), 0.1, requests=asked)


def waiting(*questions: str, session: Session | None = None) -> Run:
    """A run that asked, and that its worker has let go of."""
    row = session or help_.session(agent="scribe")
    help_.agent()
    said = conversation.say(
        principal=OPERATOR, session=row, draft=Utterance("What is the weather?")
    )
    assert said.run is not None
    held = help_.claimed()
    own: Any = {"run_id": held.run_id, "fence": held.fence}
    steps.record(**own, step=asking(*questions), specs=[ask_person.spec])
    working.wait(**own)
    return Run.objects.get(pk=said.run.pk)


def tell(run: Run, text: str, **more: Any) -> conversation.Said:
    draft = Utterance(text, **more)
    return conversation.say(principal=OPERATOR, session=run.session, draft=draft)


def test_a_run_that_asks_waits_for_input_and_says_what_it_asks():
    run = waiting("Where are you?")

    last = help_.log(run)[-1]
    conditions = sessions.view(run.session, now=run.created_at).conditions
    assert (run.state, run.waiting_for) == ("waiting", "input")
    assert last == Status(state="waiting", waiting_for="input", text="Where are you?")
    assert [one.value for one in conditions] == ["waiting"]
    assert not run.approvals.exists()


def test_what_the_person_says_next_is_the_result_and_the_run_goes_on():
    run = waiting("Where are you?")

    said = tell(run, "In Paris.")

    run.refresh_from_db()
    call = ToolCall.objects.get()
    assert said.run is not None
    assert (said.run.pk, run.state, run.waiting_for) == (run.pk, "queued", "")
    assert (call.state, call.result) == (
        "completed",
        {"answer": "In Paris.", "by": "user:operator", "message": str(said.message.pk)},
    )
    result, status = help_.log(run)[-2:]
    assert isinstance(result, ToolResult)
    assert (result.state, status) == ("completed", Status(state="queued"))
    assert said.message.run_id == run.pk
    assert Run.objects.count() == 1
    again = help_.claimed()
    assert (again.run_id, again.attempt) == (run.pk, 1)


def test_the_model_hears_the_answer_once_and_later_runs_do_too():
    run = waiting("Where are you?")
    tell(run, "In Paris.")
    assert run.message is not None

    turns = history.turns(run.session_id, up_to=run.message)
    held = help_.claimed()
    done = Step("It rains.", "m", 1, 1, Decimal(0), 0.1)
    steps.record(run_id=held.run_id, fence=held.fence, step=done, specs=[])
    later = tell(run, "And tomorrow?").message

    assert [one.role for one in turns] == [Role.USER, Role.ASSISTANT, Role.TOOL]
    assert orjson.loads(turns[2].content)["answer"] == "In Paris."
    told = [one.content for one in history.turns(run.session_id, up_to=later)]
    assert told[3:] == ["It rains.", "And tomorrow?"]
    assert Message.objects.filter(content="In Paris.", is_chosen=True).exists()


def test_of_two_questions_each_message_answers_one():
    run = waiting("Where?", "When?")

    tell(run, "Here.")
    run.refresh_from_db()
    between = (run.state, run.waiting_for)
    tell(run, "Now.")

    run.refresh_from_db()
    found = ToolCall.objects.order_by("created_at").values_list("result__answer", flat=True)
    assert (between, run.state) == (("waiting", "input"), "queued")
    assert list(found) == ["Here.", "Now."]


def test_an_answer_that_comes_before_the_worker_let_go_is_taken():
    help_.agent()
    row = help_.session(agent="scribe")
    said = conversation.say(principal=OPERATOR, session=row, draft=Utterance("Well?"))
    held = help_.claimed()
    own: Any = {"run_id": held.run_id, "fence": held.fence}
    steps.record(**own, step=asking("Where?"), specs=[ask_person.spec])
    assert said.run is not None

    answered = tell(said.run, "Here.").run

    assert answered is not None
    assert (answered.pk, answered.state) == (said.run.pk, "working")
    assert working.wait(**own) is False


@pytest.mark.parametrize("admission", [Admission.INTERRUPT, Admission.ROLLBACK])
def test_whoever_begins_anew_answers_nothing(admission):
    run = waiting("Where?")

    said = tell(run, "Forget it.", admission=admission)

    run.refresh_from_db()
    assert said.run is not None
    assert said.run.pk != run.pk
    assert (run.state, ToolCall.objects.get().state) == ("cancelled", "cancelled")


def test_nobody_is_asked_for_leave_to_ask_but_a_policy_may_deny_it():
    rules = [{"verdict": "deny", "tool": QUESTION}]
    Policy.objects.create(slug="quiet", rules=rules)
    manual = waiting("Where?", session=help_.session(agent="scribe", config={"policy": "manual"}))
    denied = factories.session(agent="scribe", config={"policy": "quiet"})
    conversation.say(principal=OPERATOR, session=denied, draft=Utterance("Well?"))
    held = help_.claimed()

    steps.record(
        run_id=held.run_id, fence=held.fence, step=asking("Where?"), specs=[ask_person.spec]
    )

    assert manual.waiting_for == "input"
    assert ToolCall.objects.get(run=held.run_id).state == "rejected"


async def test_a_scripted_agent_asks_and_goes_on_with_the_answer():
    question = {"tools": [{"tool": QUESTION, "arguments": {"question": "Where?"}}]}
    tools = Equipment(service_for=llm.service_for, toolbox_of=box.of)
    agent = await run_db(lambda: help_.agent("asker", tools=[QUESTION]))

    async with at_work(tools):
        run = await begin(question, {"text": "Thank you."}, agent=agent)
        await until(lambda: Run.objects.get(pk=run.pk).waiting_for == "input")
        await run_db(lambda: tell(run, "Here.", agent="asker"))
        row = await ended(run)

    answer = await run_db(lambda: row.answer.content if row.answer else "")
    assert (answer, row.attempt) == ("Thank you.", 1)


def test_a_decision_shows_in_the_log_that_the_run_goes_on():
    run = waiting("Where?")
    Run.objects.filter(pk=run.pk).update(waiting_for="budget")

    with_room = runs.reconsider(run.pk)

    assert with_room is True
    assert help_.log(run)[-1] == Status(state="queued")
    assert help_.claimed().attempt == 1


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
def test_a_task_of_a2a_requires_input_and_takes_it(program: Caller, binding):
    help_.agent()
    client = Client(program, binding)
    task = client.send("What is the weather?", contextId="talk")
    held = help_.claimed()
    own: Any = {"run_id": held.run_id, "fence": held.fence}
    steps.record(**own, step=asking("Where are you?"), specs=[ask_person.spec])
    working.wait(**own)

    asked = client.get("GetTask", id=task["id"])
    again = client.send("In Paris.", taskId=task["id"], contextId="talk")

    assert asked["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert asked["status"]["message"]["parts"][0]["text"] == "Where are you?"
    assert (again["id"], again["status"]["state"]) == (task["id"], "TASK_STATE_WORKING")
    last = messages.last(Run.objects.get().session_id)
    assert (ToolCall.objects.get().result or {})["answer"] == "In Paris."
    assert last is not None
    assert last.content == "In Paris."


def test_a_task_of_seed_002_says_what_it_waits_for_and_the_next_one_answers(program: Caller):
    run = waiting("Where are you?")

    shown = program.get(f"/agents/scribe/tasks/{run.pk}").json()
    answer = program.post(
        f"/sessions/{run.session_id}/tasks",
        {"input": {"content": "In Paris."}, "returnImmediately": True},
    )

    assert (shown["status"], shown["metadata"]["waitingFor"]) == ("running", "input")
    assert answer.status_code == 202
    assert ToolCall.objects.get().state == "completed"
